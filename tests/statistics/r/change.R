# Numbers of test_change.py: R survey, panel_syn_2026 of the svy wheel written out as panel.csv.
# Usage: Rscript change.R panel.csv
suppressPackageStartupMessages(library(survey))
options(digits = 15)
show <- function(name, x) cat(name, format(x, digits = 15), "\n")
p <- read.csv(commandArgs(TRUE)[1], stringsAsFactors = FALSE)
p$wave_f <- factor(p$wave)
d <- svydesign(ids = ~psu, strata = ~stratum, weights = ~w1, data = p)
for (y in c("emp", "inc")) {
  known <- subset(d, !is.na(p[[y]]))
  b <- svyby(as.formula(paste0("~", y)), ~wave_f, known, svymean, covmat = TRUE)
  show(paste(y, "level"), coef(b)); show(paste(y, "se"), SE(b)); show(paste(y, "cov"), vcov(b)[c(4, 7, 8)])
  for (w in list(change12 = c(-1, 1, 0), slope = c(-.5, 0, .5))) {
    e <- svycontrast(b, w); show(paste(y, "contrast"), c(coef(e), SE(e)))
  }
}
both <- p$case_id %in% intersect(p$case_id[p$wave == 1 & !is.na(p$emp)], p$case_id[p$wave == 2 & !is.na(p$emp)])
l <- svydesign(ids = ~psu, strata = ~stratum, weights = ~lw_12, data = p[p$lw_12 > 0, ])
l <- subset(l, !is.na(emp) & case_id %in% p$case_id[both] & wave < 3)
b <- svyby(~emp, ~wave_f, l, svymean, covmat = TRUE)
e <- svycontrast(b, c(-1, 1)); show("overlap", c(coef(b), coef(e), SE(e), degf(l)))
e <- svycontrast(b, quote(log(`2` / `1`))); show("overlap log ratio", c(coef(e), SE(e)))
known <- subset(d, !is.na(p$emp))
m <- svyglm(emp ~ wave, known, family = quasibinomial()); show("logit trend", c(coef(m)[2], SE(m)[2], m$df.residual))
m <- svyglm(inc ~ wave, subset(d, !is.na(p$inc))); show("linear trend", c(coef(m)[2], SE(m)[2], m$df.residual))
q <- p; q$psu <- paste(q$wave, q$psu); q$stratum <- paste(q$wave, q$stratum)
i <- subset(svydesign(ids = ~psu, strata = ~stratum, weights = ~w1, data = q), !is.na(emp))
e <- svycontrast(svyby(~emp, ~wave_f, i, svymean, covmat = TRUE), c(-1, 1, 0)); show("independent", c(coef(e), SE(e)))
show("pooled independent", c(coef(svymean(~emp, i)), SE(svymean(~emp, i)))); show("pooled", c(coef(svymean(~emp, known)), SE(svymean(~emp, known))))
