# Three stages with strata within PSUs and PSUs taken with certainty, by R's survey package.
# Rscript stages.R stages.json     (writes its sample too)
suppressPackageStartupMessages({library(survey); library(jsonlite)})
out <- commandArgs(trailingOnly = TRUE)[1]
set.seed(11)
d <- expand.grid(person = 1:2, house = 1:3, part = 1:2, psu = 1:12)
d$stratum <- c(1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 4, 5)[d$psu]
d$psus <- c(9, 12, 3, 1, 1)[d$stratum]
d$houses <- c(8, 5)[d$part] + d$psu %% 3
d$persons <- 2 + (d$house + d$psu) %% 3
d$w <- round(runif(nrow(d), 1, 4), 3)
d$y <- round(rnorm(nrow(d), 10 + d$psu %% 5 + d$part, 2), 3)
d$x <- round(runif(nrow(d), 1, 3), 3)
d$sex <- ifelse(runif(nrow(d)) < 0.5, "F", "M")
d$houseid <- interaction(d$part, d$house)
records <- list()
for (stages in 1:3) {
  ids <- list(~psu, ~psu + houseid, ~psu + houseid + person)[[stages]]
  strata <- list(~stratum, ~stratum + part, ~stratum + part + part)[[stages]]
  fpc <- list(~psus, ~psus + houses, ~psus + houses + persons)[[stages]]
  g <- svydesign(ids = ids, strata = strata, fpc = fpc, weights = ~w, data = d, nest = TRUE)
  for (f in c("mean", "total")) {
    m <- svyby(~y, ~sex, g, if (f == "mean") svymean else svytotal)
    a <- if (f == "mean") svymean(~y, g) else svytotal(~y, g)
    for (i in 1:2) records[[length(records) + 1]] <- list(stages = stages, statistic = f,
      domain = m$sex[i], estimate = as.numeric(coef(m)[i]), se = as.numeric(SE(m)[i]))
    records[[length(records) + 1]] <- list(stages = stages, statistic = f, domain = "_T",
      estimate = as.numeric(coef(a)), se = as.numeric(SE(a)))
  }
}
d$houseid <- as.character(d$houseid)
writeLines(toJSON(list(R = as.character(getRversion()), survey = as.character(packageVersion("survey")),
  sample = as.list(d), results = records), digits = NA, auto_unbox = TRUE), out)
