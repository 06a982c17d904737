# Arguments: a CSV file of the sample, runs, a file for the results, a file for the seconds.
suppressPackageStartupMessages(library(survey))
argument <- commandArgs(trailingOnly = TRUE)
sample <- read.csv(argument[1])
breakdowns <- grep("^B", names(sample), value = TRUE)
seconds <- data.frame()
for (run in seq_len(as.integer(argument[2]))) {
  started <- proc.time()[["elapsed"]]
  design <- svydesign(ids = ~psu, strata = ~stratum, weights = ~weight, data = sample)
  designed <- proc.time()[["elapsed"]]
  results <- data.frame()
  for (name in breakdowns) {
    by <- svyby(~y, as.formula(paste0("~area+", name)), design, svymean, covmat = TRUE)
    joint <- vcov(by)
    value <- coef(by)
    pair <- subset(expand.grid(i = seq_along(value), j = seq_along(value)),
                   by$area[i] == by$area[j] & by[[name]][i] > by[[name]][j])
    gap <- value[pair$i] - value[pair$j]
    error <- sqrt(diag(joint)[pair$i] + diag(joint)[pair$j] - 2 * joint[cbind(pair$i, pair$j)])
    results <- rbind(results, data.frame(
      breakdown = name, area = c(by$area, by$area[pair$i]),
      group = c(by[[name]], by[[name]][pair$i]),
      reference = c(rep(-1, length(value)), by[[name]][pair$j]),
      value = c(value, gap), se = c(SE(by), error)))
  }
  seconds <- rbind(seconds, data.frame(
    design = designed - started, estimates = proc.time()[["elapsed"]] - designed))
}
write.csv(results, argument[3], row.names = FALSE)
seconds$version <- paste0("R ", getRversion(), ", survey ", packageVersion("survey"))
write.csv(seconds, argument[4], row.names = FALSE)
