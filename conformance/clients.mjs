// node clients.mjs NODE_MODULES URL [PARAMETERS]: reads data as SDMX-JSON with sdmx-json-parser, once
// without series and once with them; the last line tells the rows. The parser adds format=jsondata.
// It looks for a list of values of each attribute, which those without codes do not have: so it
// asks for none.
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [modules, url, parameters] = process.argv.slice(2);
const { SDMXParser } = createRequire(resolve(modules, "x.js"))("sdmx-json-parser");
const read = [];
for (const shape of ["AllDimensions", "TIME_PERIOD"]) {
  const parser = new SDMXParser();
  await parser.getDatasets(`${url}?dimensionAtObservation=${shape}&${parameters}`);
  const rows = parser.getData();
  read.push(rows.length);
  console.log(`${parser.getName()}: ${rows.length} rows of ${parser.getDimensions().length} dimensions`);
}
if (read[0] !== read[1]) throw new Error(`Error: ${read[0]} rows without series, ${read[1]} with`);
