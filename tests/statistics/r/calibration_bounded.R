# Estimates calibrated with bounded changes of weights (truncated linear, logit), or with one change
# a cluster (aggregate.stage), by R's survey package.
# Rscript calibration_bounded.R <oracles>/01_taylor/input.csv calibration_bounded.json
suppressPackageStartupMessages({library(survey); library(jsonlite)})
args <- commandArgs(trailingOnly = TRUE)
d <- read.csv(args[1])
records <- list()
add <- function(design, statistic, domain, value, se)
  records[[length(records) + 1]] <<- list(design = design, statistic = statistic, domain = domain,
                                          estimate = as.numeric(value), se = as.numeric(se))
plain <- svydesign(ids = ~dnum, weights = ~pw, data = d)
strata <- svydesign(ids = ~1, strata = ~stype, weights = ~pw, fpc = ~fpc, data = d)
jackknife <- as.svrepdesign(svydesign(ids = ~1, strata = ~stype, weights = ~pw, data = d),
                            type = "JKn", mse = TRUE)
totals <- c(`(Intercept)` = 6194, api99 = 3914069, sch.wideYes = 5122)
change <- function(g, calfun, bounds) calibrate(g, ~api99 + sch.wide, totals, calfun = calfun,
                                                bounds = bounds, epsilon = 1e-12, maxit = 500)
designs <- list(
  truncated = change(plain, "linear", c(0.96, 1.08)),
  truncated_strata = change(strata, "linear", c(0.96, 1.10)),
  logit = change(plain, "logit", c(0.9, 1.2)),
  logit_strata = change(strata, "logit", c(0.9, 1.2)),
  logit_jackknife = change(jackknife, "logit", c(0.5, 2)),
  linear_within = calibrate(plain, ~api99 + sch.wide, totals, aggregate.stage = 1),
  logit_within = calibrate(plain, ~api99 + sch.wide, totals, calfun = "logit", bounds = c(0.5, 2),
                           epsilon = 1e-12, maxit = 500, aggregate.stage = 1))
for (name in names(designs)) {
  g <- designs[[name]]
  free <- weights(g, "sampling") / d$pw
  add(name, "change", "_T", min(free), max(free))
  for (f in c("mean", "total")) {
    statistic <- if (f == "mean") svymean else svytotal
    m <- statistic(~api00, g)
    add(name, f, "_T", coef(m), SE(m))
    b <- svyby(~api00, ~awards, g, statistic)
    for (i in seq_len(nrow(b))) add(name, f, paste0("awards:", b$awards[i]), coef(b)[i], SE(b)[i])
  }
}
writeLines(toJSON(list(R = as.character(getRversion()), survey = as.character(packageVersion("survey")),
                       results = records), digits = NA, auto_unbox = TRUE, pretty = TRUE), args[2])
