# Rscript clients.R URL FLOW: reads a dataflow and its structure with rsdmx; the last line tells the rows.
suppressMessages(library(rsdmx))
arguments <- commandArgs(trailingOnly = TRUE)
provider <- SDMXServiceProvider(
  agencyId = "SIS", name = "Social inclusion statistics",
  builder = SDMXREST21RequestBuilder(
    regUrl = paste0(arguments[1], "/rest"), repoUrl = paste0(arguments[1], "/rest"), compliant = TRUE
  )
)
addSDMXServiceProvider(provider)
found <- readSDMX(providerId = "SIS", resource = "data", flowRef = arguments[2])
rows <- as.data.frame(found)
flows <- as.data.frame(readSDMX(providerId = "SIS", resource = "dataflow"))
cat(nrow(flows), "dataflows\n")
cat(nrow(rows), "rows of", ncol(rows), "columns\n")
