// Runs the SDMX Test Compliance Kit against a service, without the kit's browser client.
//
// node conformance/tck.mjs KIT URL [--api v1.4.0] [--seed 1] [--only Structure,Data,Schema] [--mend | --both]
//     [--json FILE] [--page FILE]
//
// The kit is run as it is, with its faults mended in memory (--mend; tckfaults.mjs says which), or both ways (--both,
// which --page asks for too). The last line sums up.
//
// KIT is a checkout of the public repository sdmx-twg/sdmx-tck whose modules are installed (docs/conformance-service.md
// says how). Nothing of the kit is copied: its tests are prepared, configured and executed by its own code, in the order
// and with the rules of its client (sdmx-tck-client/src/actions/TestActions.js).

import { createRequire } from "node:module";
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { FAULTS, mend, reason } from "./tckfaults.mjs";

const [kit, url, ...rest] = process.argv.slice(2);
if (!kit || !url) {
  process.stderr.write("usage: tck.mjs KIT URL [--api V] [--seed N] [--only A,B] [--mend | --both] [--json FILE] [--page FILE]\n");
  process.exit(2);
}
const option = (name, otherwise) => (rest.includes(name) ? rest[rest.indexOf(name) + 1] : otherwise);
const api = option("--api", "v1.4.0");
const only = option("--only", "Structure,Data,Schema").split(",");

// The kit picks artefacts, items and keys at random: a seed makes a run the same each time.
let state = 0;
Math.random = () => {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};

const say = console.log;
console.log = () => {}; // the kit tells every step of every test

// The kit reads every answer with a parser that has it all in memory: one test at a time.
const written = option("--json") && resolve(option("--json"));
const page = option("--page") && resolve(option("--page"));
const kept = createRequire(resolve(kit, "sdmx-tck-manager", "server.js"));
// The schemas it validates with are named from here.
process.chdir(resolve(kit, "sdmx-tck-manager"));
const constants = kept("sdmx-tck-api").constants;
const TestsModelBuilder = kept("./src/builders/TestsModelBuilder.js");
const managers = kept("./src/manager/TestExecutionManagerFactory.js");
const XSDTestsDataBuilder = kept("./src/builders/schema-queries-builders/XSDTestsDataBuilder.js");
const DataQueriesDataBuilder = kept("./src/builders/data-queries-builders/DataQueriesDataBuilder.js");
const TYPE = constants.TEST_TYPE;
const WITH_CONSTRAINTS = [
  TYPE.SCHEMA_IDENTIFICATION_PARAMETERS_WITH_CONSTRAINTS,
  TYPE.SCHEMA_FURTHER_DESCRIBING_PARAMETERS_WITH_CONSTRAINTS,
];

// What the kit's client and its server tell each other goes through JSON.
const sent = (value) => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));

function identify(test, found) {
  Object.assign(test.identifiers, {
    structureType: found.structureType,
    agency: found.agencyId,
    id: found.id,
    version: found.version,
  });
}

async function configureSchemas(tests) {
  const resources = constants.STRUCTURES_REST_RESOURCE;
  const constrained = sent(await XSDTestsDataBuilder.buildXSDDataFromConstraint(url, api));
  const any = {};
  for (const name of ["datastructure", "dataflow", "provisionagreement"]) {
    any[name] = sent(await XSDTestsDataBuilder.buildXSDDataWithoutConstraint(resources[name], url, api));
  }
  const latest = constants.SCHEMA_IDENTIFICATION_PARAMETERS.AGENCY_ID.template.version;
  const pass = (test) => {
    if (!WITH_CONSTRAINTS.includes(test.testType)) {
      if (any[test.resource]) identify(test, any[test.resource]);
    } else if (constrained?.[test.resource]) {
      identify(test, constrained[test.resource].identifiers);
      if (test.reqTemplate.version !== latest) test.constraintParent = constrained[test.resource].constraintParent;
    }
    (test.subTests ?? []).forEach(pass);
  };
  tests.forEach(pass);
}

async function configureData(tests) {
  const found = sent(await DataQueriesDataBuilder.buildDataQueriesData(url, api));
  if (!found?.refDf || !found.indicativeSeries) return;
  const told = ["startPeriod", "endPeriod", "firstNObservations", "lastNObservations", "updatedAfter"];
  const pass = (test) => {
    identify(test, found.refDf);
    if (told.some((name) => test.reqTemplate[name])) test.indicativeSeries = found.indicativeSeries;
    (test.subTests ?? []).forEach(pass);
  };
  tests.forEach(pass);
}

function tell(test, result) {
  for (const below of test.subTests ?? []) {
    if (below.requireRandomSdmxObject === true && result.randomStructure) identify(below, result.randomStructure);
    if (below.requireItems && result.randomItems) {
      below.items = below.testType === TYPE.STRUCTURE_TARGET_CATEGORY ? [result.randomItems[0]] : result.randomItems;
    }
    if (below.requireRandomKey === true) below.randomKeys = result.randomKeys;
  }
}

// What SDMX 2.1 calls the resources of the kit; a test of another would need an artefact type that 2.1 lacks.
const IN_21 = new Set([
  ...["datastructure", "metadatastructure", "categoryscheme", "conceptscheme", "codelist", "hierarchicalcodelist"],
  ...["organisationscheme", "agencyscheme", "dataproviderscheme", "dataconsumerscheme", "organisationunitscheme"],
  ...["dataflow", "metadataflow", "reportingtaxonomy", "provisionagreement", "structureset", "process", "categorisation"],
  ...["contentconstraint", "attachmentconstraint", "structure", "allowedconstraint", "actualconstraint"],
]);

let outcomes = [];
function record(test, outcome, reason = "", asked = "") {
  outcomes.push({ index: test.index, type: test.testType, resource: test.resource, test: test.testId, outcome, reason, url: asked });
  process.stderr.write(outcome === "passed" ? "." : outcome === "failed" ? "F" : "-");
}

function unable(test, reason) {
  record(test, "unable", reason);
  (test.subTests ?? []).forEach((below) => unable(below, "a test it needs did not pass"));
}

async function run(test, parent) {
  if (test.requireItems === true && !test.items?.length) {
    unable(test, "no items to ask for");
    return;
  }
  const needsParent =
    test.testType === TYPE.STRUCTURE_REFERENCE_PARTIAL ||
    (test.testType === TYPE.DATA_AVAILABILITY && test.reqTemplate.component);
  if (needsParent) test.parentWorkspace = parent;
  const { subTests, ...own } = test;
  const result = sent(await managers.getTestsManager(test.index).executeTest(sent(own), api, url));
  const http = result.httpResponseValidation;
  const passed =
    http?.status === 1 && (result.workspaceValidation?.status === 1 || result.httpResponseHeadersValidation?.status === 1);
  if (!passed) {
    record(test, "failed", String(result.failReason ?? "").slice(0, 600), http?.url);
    (subTests ?? []).forEach((below) => unable(below, "a test it needs did not pass"));
    return;
  }
  record(test, "passed", "", http.url);
  tell(test, result);
  for (const below of subTests ?? []) await run(below, result.workspace);
}

// A test that the kit's own libraries cannot read must not end the others.
for (const name of ["unhandledRejection", "uncaughtException"]) {
  process.on(name, (error) => process.stderr.write(`\n${error}\n`));
}

async function everything() {
  outcomes = [];
  state = Number(option("--seed", "1")) >>> 0;
  for (const index of TestsModelBuilder.createTestsModel(api, only, constants.TEST_REQUEST_MODE.FULL)) {
    if (index.id === constants.TEST_INDEX.Schema) await configureSchemas(index.subTests);
    if (index.id === constants.TEST_INDEX.Data) await configureData(index.subTests);
    for (const test of index.subTests) await run(test);
  }
  process.stderr.write("\n");
  const counts = {};
  for (const { index, type, outcome } of outcomes) {
    for (const key of [index, `${index} / ${type}`]) {
      counts[key] ??= { passed: 0, failed: 0, unable: 0 };
      counts[key][outcome] += 1;
    }
  }
  return { counts, tests: outcomes };
}

const SHARE = 0.95;
const passed = (found) => found.tests.filter((test) => test.outcome === "passed").length;
const percent = (found) => ((100 * passed(found)) / found.tests.length).toFixed(1);

function summary(plain, mended) {
  const [one] = [plain, mended].filter(Boolean);
  const absent = one.tests.filter((test) => !IN_21.has(test.resource)).length;
  const all = one.tests.length - absent;
  return [
    `${one.tests.length} tests, ${absent} need artefact types that SDMX 2.1 lacks, required ${Math.ceil(SHARE * all)} (95 %)`,
    ...(plain ? [`passed ${passed(plain)} (${percent(plain)} %) with the kit as it is`] : []),
    ...(mended ? [`passed ${passed(mended)} (${percent(mended)} %) with its faults mended`] : []),
  ].join("; ");
}

const row = (...cells) => `| ${cells.map((cell) => String(cell).replace(/\|/g, "\\|").replace(/\s+/g, " ")).join(" | ")} |`;

function remaining(found) {
  const lines = new Map();
  for (const test of found.tests.filter((one) => one.outcome !== "passed")) {
    const why = reason(test).slice(0, 300);
    lines.set(why, [...(lines.get(why) ?? []), test.test]);
  }
  const told = (tests) => tests.slice(0, 3).map((test) => `\`${test}\``).join(", ") + (tests.length > 3 ? " ..." : "");
  return [...lines].map(([why, tests]) => row(tests.length, told(tests), why));
}

function paged(plain, mended) {
  const indices = Object.keys(plain.counts).filter((key) => !key.includes(" / "));
  const of = (found, key) => found.counts[key].passed;
  const all = ({ counts }, key) => counts[key].passed + counts[key].failed + counts[key].unable;
  return [
    "# The Test Compliance Kit",
    "",
    `The standard's own kit for SDMX REST 1.x, version ${constants.TCK_VERSION}, full mode, API ${api}, on ${new Date().toISOString().slice(0, 10)}.`,
    "Made by `node conformance/tck.mjs KIT URL/rest --page docs/conformance-tck.md`, KIT being a checkout of sdmx-twg/sdmx-tck whose",
    "modules are installed. Do not edit: run it again. The artefacts it asks for are picked at random, with a fixed seed.",
    "",
    `${summary(plain, mended)}.`,
    "",
    row("index", "tests", "the kit as it is", "its faults mended"),
    "|---|---|---|---|",
    ...indices.map((key) => row(key, all(plain, key), of(plain, key), of(mended, key))),
    "",
    "## What is mended in memory",
    ...FAULTS.map((fault) => `- ${fault.says}`),
    "",
    "## What does not pass with the faults mended",
    row("tests", "which", "why"),
    "|---|---|---|",
    ...remaining(mended),
    "",
    "## What does not pass with the kit as it is",
    row("tests", "which", "why"),
    "|---|---|---|",
    ...remaining(plain),
    "",
  ].join("\n");
}

const both = rest.includes("--both") || page;
const plain = rest.includes("--mend") && !both ? null : await everything();
if (rest.includes("--mend") || both) mend(kept);
const mended = plain && !both ? null : await everything();
const found = mended ?? plain;
const output = { mended: Boolean(mended), kit: constants.TCK_VERSION, api, url, date: new Date().toISOString(), ...found };
if (both) output.plain = plain;
if (written) writeFileSync(written, JSON.stringify(output, null, 1));
if (page) writeFileSync(page, paged(plain, mended));
for (const [name, one] of Object.entries(found.counts)) {
  const all = one.passed + one.failed + one.unable;
  say(`${name}: ${one.passed} of ${all} passed, ${one.failed} failed, ${one.unable} not run`);
}
say(summary(plain, mended));
process.exit(0);
