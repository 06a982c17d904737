// node clients.mjs NODE_MODULES URL: reads data as SDMX-JSON with sdmx-json-parser; the last line tells the rows.
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [modules, url] = process.argv.slice(2);
const { SDMXParser } = createRequire(resolve(modules, "x.js"))("sdmx-json-parser");
const parser = new SDMXParser();
await parser.getDatasets(`${url}?dimensionAtObservation=AllDimensions`); // it adds format=jsondata
const rows = parser.getData();
console.log(`${parser.getName()}: ${rows.length} rows of ${parser.getDimensions().length} dimensions`);
