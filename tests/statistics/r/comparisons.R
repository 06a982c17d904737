# Makes comparisons.json: attributable, adjusted, whole-breakdown, interaction and simultaneous
# figures. Debian: r-base-core, r-cran-survey, r-cran-jsonlite, r-cran-numderiv, r-cran-mvtnorm.
#
#   Rscript comparisons.R SILC NORWAY WORLDBANK > comparisons.json      (files as of make.R)
#
# Every figure is a function of estimated means and sizes of groups: its standard error is
# sqrt(g'Vg), V their covariance by svytotal of linearised variables, g by numerical
# differentiation (Richardson). Adjusted gaps: svyglm, the influence of its coefficients and of the
# average over people added row by row, then svytotal. No formula is taken from the package.
arguments <- commandArgs(FALSE)
here <- dirname(sub("--file=", "", grep("--file=", arguments, value = TRUE)))
suppressPackageStartupMessages({
  source(file.path(here, "estimates.R"))
  library(jsonlite)
  library(numDeriv)
  library(mvtnorm)
})
files <- commandArgs(TRUE)
surveys <- list(AT = austria(files[1]), NO = norway(files[2]), XA = world_bank(files[3]))
d <- surveys$NO$design$variables
items <- cbind(d$imwbcnt, d$imueclt, d$imbgeco)
surveys$NO$indicators$CAP_IMMIGIDX <-
  average(ifelse(rowSums(!is.na(items)) >= 2, rowMeans(items, na.rm = TRUE), NA))

PREFIX <- c(SEX = "SEX_", INCOME_WEALTH_QUANTILE = "QNT_", MIGRATION_STATUS = "MIG_",
            EDUCATION_LEV = "EDU_", POP_GROUP = "POP_")

# Mean and linearised variable of a domain, and its size.
of_domain <- function(s, indicator, domain) {
  inside <- domain & answered(s, indicator)
  w <- weights(s$design)
  n <- sum(w[inside])
  if (s$indicators[[indicator]]$kind == "poverty") {
    poor <- poor_in(s, indicator, domain & asked(s, indicator))
    return(list(value = poor$value, z = poor$z, size = n, inside = inside))
  }
  y <- ifelse(inside, s$indicators[[indicator]]$y, 0)
  value <- sum(w * y) / n
  list(value = value, z = ifelse(inside, (y - value) / n, 0), size = n, inside = inside)
}
freedom <- function(s, inside) degf(subset(s$design, inside))
# value and error of f(means, sizes) of domains
made_of <- function(s, domains, f) {
  x <- c(sapply(domains, `[[`, "value"), sapply(domains, `[[`, "size"))
  columns <- cbind(sapply(domains, `[[`, "z"), sapply(domains, function(d) +d$inside))
  k <- length(domains)
  g <- grad(function(x) f(x[1:k], x[-(1:k)]), x)
  joint <- vcov(svytotal(columns, s$design))
  list(value = f(x[1:k], x[-(1:k)]), se = sqrt(drop(t(g) %*% joint %*% g)))
}
rows <- list()
add <- function(key, value, se, df, factor = 1, log = FALSE, ...) {
  margin <- qt(0.975, df) * se * c(-1, 1)
  p <- 2 * pt(-abs(value / se), df)
  numbers <- if (log) {
    c(OBS_VALUE = exp(value), STD_ERR = exp(value) * se, LOWER_BOUND = exp(value + margin[1]),
      UPPER_BOUND = exp(value + margin[2]))
  } else {
    factor * c(OBS_VALUE = value, STD_ERR = se, LOWER_BOUND = value + margin[1],
               UPPER_BOUND = value + margin[2])
  }
  numbers <- c(numbers, DEGREES_FREEDOM = df, P_VALUE = p, ...)
  rows[[length(rows) + 1]] <<- list(key = key, numbers = as.list(signif(numbers, 15)))
}
group <- function(s, area, breakdown, code, ...) {
  rows_of(s, c(list(REF_AREA = area), setNames(list(code), breakdown), list(...)))
}

attributable <- function(nation, indicator, breakdown, reference) {
  s <- surveys[[nation]]
  best <- of_domain(s, indicator, group(s, nation, breakdown, reference))
  whole <- of_domain(s, indicator, !is.na(s$groups[[breakdown]]))
  df <- min(freedom(s, best$inside), freedom(s, whole$inside))
  f <- factor_of(s, indicator)
  measures <- list(PAR = list(function(y, n) y[2] - y[1], f),
                   PAF = list(function(y, n) (y[2] - y[1]) / y[2], 100),
                   PAN = list(function(y, n) n[2] * (y[2] - y[1]), 1))
  for (measure in names(measures)) {
    found <- made_of(s, list(best, whole), measures[[measure]][[1]])
    add(list(INDICATOR = indicator, REF_AREA = nation, BREAKDOWN = breakdown,
             COMPARISON_GROUP = "_T", REFERENCE_GROUP = paste0(PREFIX[[breakdown]], reference),
             GAP_MEASURE = measure), found$value, found$se, df, measures[[measure]][[2]],
        EST_COMP = whole$value * f, EST_REF = best$value * f, N_COMP = sum(whole$inside),
        N_REF = sum(best$inside))
  }
}

ranks <- function(n) cumsum(n / sum(n)) - n / sum(n) / 2
ends <- function(y, n, logit) {
  x <- ranks(n)
  if (logit) {
    fit <- suppressWarnings(glm(y ~ x, quasibinomial, weights = n / sum(n),
                                control = glm.control(epsilon = 1e-16, maxit = 200)))
    plogis(coef(fit)[1] + coef(fit)[2] * c(0, 1))
  } else {
    fit <- lm(y ~ x, weights = n / sum(n))
    coef(fit)[1] + coef(fit)[2] * c(0, 1)
  }
}
center <- function(y, n) sum(n * y) / sum(n)
spread <- function(nation, indicator, breakdown, groups, measures) {
  s <- surveys[[nation]]
  logit <- s$indicators[[indicator]]$kind == "share"
  f <- factor_of(s, indicator)
  domains <- lapply(groups, function(g) of_domain(s, indicator, group(s, nation, breakdown, g)))
  inside <- Reduce(`|`, lapply(domains, `[[`, "inside"))
  made <- list(
    SII = list(function(y, n) unname(diff(ends(y, n, logit))), f),
    RII = list(function(y, n) { e <- ends(y, n, logit); unname(log(e[2] / e[1])) }, 1),
    BGV = list(function(y, n) sum(n * (y - center(y, n))^2) / sum(n), f^2),
    BGSD = list(function(y, n) sqrt(sum(n * (y - center(y, n))^2) / sum(n)), f),
    ACI = list(function(y, n) sum(n * (2 * ranks(n) - 1) * y) / sum(n), f),
    MDMW = list(function(y, n) sum(n * abs(y - center(y, n))) / sum(n), f))
  for (measure in measures) {
    found <- made_of(s, domains, made[[measure]][[1]])
    add(list(INDICATOR = indicator, REF_AREA = nation, BREAKDOWN = breakdown,
             COMPARISON_GROUP = "_T", REFERENCE_GROUP = "_Z", GAP_MEASURE = measure),
        found$value, found$se, freedom(s, inside), made[[measure]][[2]], log = measure == "RII",
        N_COMP = sum(inside))
  }
}

interaction_of <- function(nation, indicator, breakdown, code, reference) {
  s <- surveys[[nation]]
  corner <- function(g, sex) of_domain(s, indicator, group(s, nation, breakdown, g, SEX = sex))
  four <- list(corner(code, "F"), corner(reference, "F"), corner(code, "M"), corner(reference, "M"))
  inside <- Reduce(`|`, lapply(four, `[[`, "inside"))
  key <- list(INDICATOR = indicator, REF_AREA = nation, BREAKDOWN = breakdown,
              COMPARISON_GROUP = paste0(PREFIX[[breakdown]], code),
              REFERENCE_GROUP = paste0(PREFIX[[breakdown]], reference), SEX = "F")
  f <- factor_of(s, indicator)
  plain <- made_of(s, four, function(y, n) (y[1] - y[2]) - (y[3] - y[4]))
  add(c(key, GAP_MEASURE = "IA_DIFF"), plain$value, plain$se, freedom(s, inside), f)
  ratio <- made_of(s, four, function(y, n) log(y[1] / y[2]) - log(y[3] / y[4]))
  add(c(key, GAP_MEASURE = "IA_RATIO"), ratio$value, ratio$se, freedom(s, inside), log = TRUE)
}

adjusted <- function(nation, indicator, breakdown, reference, adjust_for, adjustment) {
  s <- surveys[[nation]]
  y <- s$indicators[[indicator]]$y
  if (s$indicators[[indicator]]$kind == "poverty") {
    y <- as.numeric(y < line_of(y, weights(s$design))$line)
  }
  inside <- answered(s, indicator) & complete.cases(s$groups[c(breakdown, adjust_for)])
  data <- s$groups[inside, c(breakdown, adjust_for)]
  data[] <- lapply(data, factor)
  data[[breakdown]] <- relevel(data[[breakdown]], reference)
  sub <- subset(s$design, inside)
  sub$variables <- cbind(data, y = y[inside])
  fit <- svyglm(reformulate(c(breakdown, adjust_for), "y"), sub, family = quasibinomial(),
                control = glm.control(epsilon = 1e-15, maxit = 100))
  w <- weights(s$design)[inside]
  x <- model.matrix(fit)
  mu <- plogis(drop(x %*% coef(fit)))
  information <- t(x) %*% (x * (w * mu * (1 - mu)))
  u <- (x * (y[inside] - mu)) %*% solve(information)
  groups <- levels(data[[breakdown]])
  z <- matrix(0, nrow(s$groups), length(groups))
  m <- numeric(length(groups))
  for (at in seq_along(groups)) {
    moved <- data
    moved[[breakdown]] <- factor(groups[at], levels = groups)
    xg <- model.matrix(delete.response(terms(fit)), moved)
    h <- plogis(drop(xg %*% coef(fit)))
    m[at] <- sum(w * h) / sum(w)
    z[inside, at] <- u %*% (t(xg) %*% (w * h * (1 - h)) / sum(w)) + (h - m[at]) / sum(w)
  }
  joint <- vcov(svytotal(z, s$design))
  df <- freedom(s, inside) + 1 - ncol(x)
  f <- factor_of(s, indicator)
  for (at in seq_along(groups)[-1]) {
    key <- list(INDICATOR = indicator, REF_AREA = nation, BREAKDOWN = breakdown,
                COMPARISON_GROUP = paste0(PREFIX[[breakdown]], groups[at]),
                REFERENCE_GROUP = paste0(PREFIX[[breakdown]], reference), ADJUSTMENT = adjustment)
    more <- c(EST_COMP = m[at] * f, EST_REF = m[1] * f, COV_COMP_REF = joint[at, 1] * f^2,
              N_COMP = sum(data[[breakdown]] == groups[at]),
              N_REF = sum(data[[breakdown]] == reference))
    two <- c(at, 1)
    error <- function(slope) sqrt(drop(slope %*% joint[two, two] %*% slope))
    add(c(key, GAP_MEASURE = "DIFF"), m[at] - m[1], error(c(1, -1)), df, f, FALSE, more)
    add(c(key, GAP_MEASURE = "RATIO"), log(m[at] / m[1]), error(c(1, -1) / m[two]), df, 1, TRUE, more)
    add(c(key, GAP_MEASURE = "OR"), qlogis(m[at]) - qlogis(m[1]),
        error(c(1, -1) / (m[two] * (1 - m[two]))), df, 1, TRUE, more)
  }
}

# Twofold with the coefficients of both groups pooled, the group among the terms (Jann 2008): a
# function of the totals of x x' and x y in each group.
decomposed <- function(nation, indicator, breakdown, code, reference, explained_by) {
  s <- surveys[[nation]]
  y <- s$indicators[[indicator]]$y
  inside <- answered(s, indicator) & complete.cases(s$groups[c(breakdown, explained_by)])
  inside <- inside & s$groups[[breakdown]] %in% c(code, reference)
  data <- s$groups[inside, explained_by, drop = FALSE]
  data[] <- lapply(data, factor)
  x <- model.matrix(reformulate(explained_by), data)
  k <- ncol(x)
  pairs <- which(upper.tri(diag(k), diag = TRUE), arr.ind = TRUE)
  moments <- cbind(x[, pairs[, 1]] * x[, pairs[, 2]], x * y[inside])
  a <- s$groups[[breakdown]][inside] == code
  columns <- matrix(0, nrow(s$groups), 2 * ncol(moments))
  columns[inside, ] <- cbind(moments * a, moments * !a)
  totals <- svytotal(columns, s$design)
  parts <- function(v) {
    side <- function(v) {
      xx <- matrix(0, k, k)
      xx[pairs] <- v[seq_len(nrow(pairs))]
      xx[pairs[, 2:1]] <- v[seq_len(nrow(pairs))]
      xy <- v[-seq_len(nrow(pairs))]
      list(xx = xx, xy = xy, n = xx[1, 1], x = xx[1, ] / xx[1, 1], y = xy[1] / xx[1, 1])
    }
    one <- side(v[seq_along(v) <= length(v) / 2])
    other <- side(v[seq_along(v) > length(v) / 2])
    both <- rbind(cbind(one$xx + other$xx, one$xx[, 1]), c(one$xx[, 1], one$n))
    star <- solve(both, c(one$xy + other$xy, one$xy[1]))[1:k]
    gap <- sum((one$x - other$x) * star)
    c(gap, one$y - other$y - gap, one$y, other$y)
  }
  v <- as.numeric(coef(totals))
  # totals of millions: one scale for all of them
  unit <- max(abs(v))
  g <- jacobian(function(u) parts(u * unit)[1:2], v / unit) / unit
  joint <- g %*% vcov(totals) %*% t(g)
  f <- factor_of(s, indicator)
  found <- parts(v)
  for (at in 1:2) {
    add(list(INDICATOR = indicator, REF_AREA = nation, BREAKDOWN = breakdown,
             COMPARISON_GROUP = paste0(PREFIX[[breakdown]], code),
             REFERENCE_GROUP = paste0(PREFIX[[breakdown]], reference), GAP_MEASURE = "DIFF",
             ADJUSTMENT = c("EXPLAINED", "UNEXPLAINED")[at]),
        found[at], sqrt(joint[at, at]), freedom(s, inside), f, FALSE, EST_COMP = found[3] * f,
        EST_REF = found[4] * f, N_COMP = sum(a), N_REF = sum(!a))
  }
}

# The quantile of the largest |t| of the differences of a family, by mvtnorm.
together <- function(nation, indicator, breakdown, reference) {
  s <- surveys[[nation]]
  codes <- setdiff(sort(unique(na.omit(s$groups[[breakdown]]))), reference)
  domains <- lapply(c(reference, codes), function(g) of_domain(s, indicator, group(s, nation, breakdown, g)))
  joint <- vcov(svytotal(sapply(domains, `[[`, "z"), s$design))
  contrast <- cbind(-1, diag(length(codes)))
  found <- contrast %*% joint %*% t(contrast)
  df <- min(sapply(domains[-1], function(d) freedom(s, d$inside | domains[[1]]$inside)))
  set.seed(1)
  list(critical = qmvt(0.95, tail = "both.tails", df = df, corr = cov2cor(found),
                       algorithm = GenzBretz(maxpts = 1e6, abseps = 1e-5))$quantile,
       key = list(INDICATOR = indicator, REF_AREA = nation, BREAKDOWN = breakdown))
}

attributable("XA", "HOU_WATER", "INCOME_WEALTH_QUANTILE", "Q5")
attributable("XA", "HOU_SANIT", "INCOME_WEALTH_QUANTILE", "Q5")
attributable("AT", "POV_ARPT60", "POP_GROUP", "ACT_FT")
fifths <- paste0("Q", 1:5)
spread("XA", "HOU_WATER", "INCOME_WEALTH_QUANTILE", fifths, c("SII", "RII", "BGV"))
spread("XA", "HOU_SANIT", "INCOME_WEALTH_QUANTILE", fifths, c("SII", "RII", "BGV"))
spread("XA", "EDU_YEARS", "INCOME_WEALTH_QUANTILE", fifths, c("SII", "ACI", "BGSD"))
spread("NO", "EDU_YEARS", "INCOME_WEALTH_QUANTILE", fifths, c("SII", "ACI", "BGSD"))
spread("NO", "CAP_IMMIGIDX", "EDUCATION_LEV", c("YRS_0T9", "YRS_10T12", "YRS_GE13"),
       c("SII", "MDMW"))
for (indicator in c("POV_ARPT60", "LAB_EMPDECL")) for (code in c("CIT_EU", "CIT_OTHER")) {
  interaction_of("AT", indicator, "MIGRATION_STATUS", code, "CIT_NAT")
}
adjusted("AT", "POV_ARPT60", "SEX", "M", c("AGE", "HH_COMPOSITION"), "ADJ_FULL")
adjusted("AT", "POV_ARPT60", "MIGRATION_STATUS", "CIT_NAT", c("SEX", "AGE", "HH_COMPOSITION"),
         "ADJ_FULL")
adjusted("AT", "LAB_EMPDECL", "SEX", "M", "AGE", "ADJ_DEMO")
adjusted("AT", "LAB_EMPDECL", "MIGRATION_STATUS", "CIT_NAT", c("SEX", "AGE"), "ADJ_DEMO")
adjusted("XA", "LAB_EMPDECL", "SEX", "M", "AGE", "ADJ_DEMO")
decomposed("AT", "LAB_EMPDECL", "SEX", "F", "M", c("AGE", "HH_COMPOSITION"))
family <- together("AT", "POV_ARPT60", "POP_GROUP", "ACT_FT")

json <- function(x) toJSON(x, auto_unbox = TRUE, digits = NA)
made <- list(R = as.character(getRversion()), survey = as.character(packageVersion("survey")),
             date = format(Sys.Date()), script = "comparisons.R")
cat("{\n  \"made\": ", json(made), ",\n  \"max_t\": ", json(family), ",\n  \"rows\": [\n",
    paste0("    ", sapply(rows, json), collapse = ",\n"), "\n  ]\n}\n", sep = "")
