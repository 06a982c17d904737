# Post-stratified, raked and calibrated estimates and standardised means by R's survey package.
# Rscript calibration.R <oracles>/01_taylor/input.csv calibration.json
suppressPackageStartupMessages({library(survey); library(jsonlite)})
args <- commandArgs(trailingOnly = TRUE)
d <- read.csv(args[1])
d$cluster <- d$dnum
records <- list()
add <- function(design, statistic, domain, value, se)
  records[[length(records) + 1]] <<- list(design = design, statistic = statistic, domain = domain,
                                          estimate = as.numeric(value), se = as.numeric(se))
stype <- data.frame(stype = c("E", "H", "M"), Freq = c(4421, 755, 1018))
wide <- data.frame(sch.wide = c("No", "Yes"), Freq = c(1072, 5122))
both <- data.frame(both = c("No", "Yes"), Freq = c(1692, 4502))
plain <- svydesign(ids = ~cluster, weights = ~pw, data = d)
strata <- svydesign(ids = ~1, strata = ~stype, weights = ~pw, fpc = ~fpc, data = d)
tight <- list(maxit = 1000, epsilon = 1e-9)
totals <- c(`(Intercept)` = 6194, api99 = 3914069, sch.wideYes = 5122)
designs <- list(
  poststratified = postStratify(plain, ~stype, stype),
  poststratified_strata = postStratify(strata, ~sch.wide, wide),
  raked = calibrate(plain, ~stype + sch.wide + both, calfun = "raking", epsilon = 1e-13, maxit = 500,
                    c(`(Intercept)` = 6194, stypeH = 755, stypeM = 1018, sch.wideYes = 5122, bothYes = 4502)),
  raked_strata = calibrate(strata, ~both + sch.wide, calfun = "raking", epsilon = 1e-13, maxit = 500,
                           c(`(Intercept)` = 6194, bothYes = 4502, sch.wideYes = 5122)),
  rake = rake(plain, list(~stype, ~sch.wide, ~both), list(stype, wide, both), control = tight),
  rake_strata = rake(strata, list(~both, ~sch.wide), list(both, wide), control = tight),
  calibrated = calibrate(plain, ~api99 + sch.wide, totals),
  calibrated_strata = calibrate(strata, ~api99 + sch.wide, totals))
jackknife <- as.svrepdesign(svydesign(ids = ~1, strata = ~stype, weights = ~pw, data = d),
                            type = "JKn", mse = TRUE)
designs$jackknife_poststratified <- postStratify(jackknife, ~sch.wide, wide)
designs$jackknife_calibrated <- calibrate(jackknife, ~api99 + sch.wide, totals)
for (name in names(designs)) {
  g <- designs[[name]]
  for (f in c("mean", "total")) {
    statistic <- if (f == "mean") svymean else svytotal
    m <- statistic(~api00, g)
    add(name, f, "_T", coef(m), SE(m))
    b <- svyby(~api00, ~awards, g, statistic)
    for (i in seq_len(nrow(b))) add(name, f, paste0("awards:", b$awards[i]), coef(b)[i], SE(b)[i])
  }
  r <- svyratio(~api.stu, ~enroll, g)
  add(name, "ratio", "_T", coef(r)[1], SE(r)[1])
}
standard <- svystandardize(plain, by = ~stype, over = ~sch.wide,
                           population = c(4421, 755, 1018), excluding.missing = ~api00)
b <- svyby(~api00, ~sch.wide, standard, svymean)
for (i in seq_len(nrow(b))) add("standardised", "mean", paste0("sch.wide:", b$sch.wide[i]), coef(b)[i], SE(b)[i])
writeLines(toJSON(list(R = as.character(getRversion()), survey = as.character(packageVersion("survey")),
                       results = records), digits = NA, auto_unbox = TRUE, pretty = TRUE), args[2])
