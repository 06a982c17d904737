# Estimates of the declared surveys with R's survey package, written from the declarations in
# dsd/surveys and dsd/indicators alone. Variances of poverty rates are linearised here by hand
# (Osier 2009; Deville 1999), because Debian has no package convey.
library(survey)

band <- function(x, ...) {
  bands <- list(...)
  code <- rep(NA_character_, length(x))
  for (name in names(bands)) {
    low <- bands[[name]][1]
    high <- bands[[name]][2]
    code[!is.na(x) & x >= low & x <= high] <- name
  }
  code
}
recode <- function(x, ...) unname(c(...)[as.character(x)])
someone <- function(event, household) {
  ave(as.numeric(!is.na(event) & event), household, FUN = max) == 1
}
share <- function(y, universe = TRUE) list(kind = "share", y = as.numeric(y), universe = universe)
average <- function(y, universe = TRUE) list(kind = "mean", y = as.numeric(y), universe = universe)
poverty <- function(y) list(kind = "poverty", y = as.numeric(y), universe = TRUE)
within <- function(x) !is.na(x) & x

austria <- function(file) {
  d <- read.csv(file, na.strings = c("", "NA"), check.names = FALSE)
  activity <- recode(d$pl030, `1` = "EMP", `2` = "EMP", `3` = "UNEMP", `4` = "STUDENT",
                     `5` = "RETIRED", `6` = "INACTIVE", `7` = "INACTIVE")
  states <- c(Burgenland = 1, Carinthia = 2, `Lower Austria` = 3, `Upper Austria` = 4,
              Salzburg = 5, Styria = 6, Tyrol = 7, Vorarlberg = 8, Vienna = 9)
  groups <- data.frame(
    SEX = recode(d$rb090, female = "F", male = "M"),
    AGE = band(d$age, Y0T14 = c(-Inf, 14), Y15T24 = c(15, 24), Y25T54 = c(25, 54),
               Y55T64 = c(55, 64), Y_GE65 = c(65, Inf)),
    MIGRATION_STATUS = recode(d$pb220a, AT = "CIT_NAT", EU = "CIT_EU", Other = "CIT_OTHER"),
    HH_COMPOSITION = band(d$hsize, HH1 = c(1, 1), HH2 = c(2, 2), HH3 = c(3, 3), HH4 = c(4, 4),
                          HH_GE5 = c(5, Inf)),
    POP_GROUP = recode(d$pl030, `1` = "ACT_FT", `2` = "ACT_PT", `3` = "ACT_UNEMP",
                       `4` = "ACT_STUDENT", `5` = "ACT_RETIRED", `6` = "ACT_DISABLED",
                       `7` = "ACT_DOMESTIC"))
  list(
    nation = "AT", groups = groups, areas = list(paste0("AT-", states[d$db040])),
    design = svydesign(ids = ~db030, strata = ~db040, weights = ~rb050, data = d),
    indicators = list(
      POV_ARPT60 = poverty(d$eqIncome),
      LAB_EMPDECL = share(activity == "EMP", d$age >= 15 & d$age <= 64),
      LAB_UNEMPDECL = share(activity == "UNEMP", within(activity %in% c("EMP", "UNEMP") & d$age >= 15)),
      LAB_NOWORKHH = share(!someone(activity == "EMP", d$db030), d$age >= 18 & d$age <= 59)))
}

norway <- function(file) {
  d <- read.csv(file, na.strings = c("", "NA"), check.names = FALSE)
  regions <- c(`Oslo og Viken` = "NO08", Innlandet = "NO02", `Agder og Sør-Østlandet` = "NO09",
               Vestlandet = "NO0A", `Trøndlet` = "NO06", `Nord-Norge` = "NO07")
  groups <- data.frame(
    SEX = recode(d$female, `0` = "M", `1` = "F"),
    AGE = band(d$agea, Y15T24 = c(15, 24), Y25T54 = c(25, 54), Y55T64 = c(55, 64),
               Y_GE65 = c(65, Inf)),
    MIGRATION_STATUS = recode(d$brnnorge, `0` = "BORN_ABROAD", `1` = "BORN_IN"),
    INCOME_WEALTH_QUANTILE = band(d$hinctnta, Q1 = c(1, 2), Q2 = c(3, 4), Q3 = c(5, 6),
                                  Q4 = c(7, 8), Q5 = c(9, 10)),
    EDUCATION_LEV = band(d$eduyrs, YRS_0T9 = c(0, 9), YRS_10T12 = c(10, 12), YRS_GE13 = c(13, Inf)),
    POP_GROUP = recode(d$uempla, `0` = "ACT_NOTUNEMP", `1` = "ACT_UNEMP"))
  list(
    nation = "NO", groups = groups, areas = list(unname(regions[d$region])),
    design = svydesign(ids = ~psu, strata = ~stratum, weights = ~anweight, data = d),
    indicators = list(
      CAP_IMMIGLIFE = average(d$imwbcnt), CAP_IMMIGCULT = average(d$imueclt),
      CAP_IMMIGECON = average(d$imbgeco), PAR_POLINT = share(d$polint == 1),
      EDU_YEARS = average(d$eduyrs, within(d$agea >= 25))))
}

world_bank <- function(file) {
  d <- read.csv(file, na.strings = c("", "NA"), check.names = FALSE)
  activity <- recode(d$act_status, Employed = "EMP", Unemployed = "UNEMP", Inactive = "INACTIVE")
  groups <- data.frame(
    SEX = recode(d$sex, Female = "F", Male = "M"),
    AGE = band(d$age, Y0T14 = c(0, 14), Y15T24 = c(15, 24), Y25T54 = c(25, 54), Y55T64 = c(55, 64),
               Y_GE65 = c(65, Inf)),
    URBANISATION = recode(d$urbrur, Urban = "URB", Rural = "RUR"),
    INCOME_WEALTH_QUANTILE = recode(d$quint_nat, poorest = "Q1", poor = "Q2", average = "Q3",
                                    rich = "Q4", richest = "Q5"),
    EDUCATION_LEV = recode(d$educ_attain, `Less than primary` = "ISCED11A_0",
                           Primary = "ISCED11A_1", Secondary = "AGG_2_3", University = "AGG_5T8"),
    CIVIL_STATUS = recode(d$marstat, `Single/never married` = "S", `Married/in union` = "M",
                          Widowed = "W", `Divorced/separated` = "D"),
    HH_COMPOSITION = band(d$hhsize, HH1 = c(1, 1), HH2 = c(2, 2), HH3 = c(3, 3), HH4 = c(4, 4),
                          HH_GE5 = c(5, Inf)),
    POP_GROUP = recode(d$act_status, Employed = "ACT_EMP", Unemployed = "ACT_UNEMP",
                       Inactive = "ACT_INACTIVE"))
  improved_water <- c("Piped into dwelling", "Piped to yard/plot", "Public tap/standpipe",
                      "Tube well or borehole", "Protected well", "Protected spring", "Rainwater",
                      "Bottled water", "Tanker truck", "Cart with small tank")
  improved_toilet <- c("Flush to piped sewer system", "Flush to septic tank",
                       "Flush to pit latrine", "Ventilated improved pit latrine (vip)",
                       "Pit latrine with slab")
  member <- function(x, set) ifelse(is.na(x), NA, x %in% set)
  d$stratum <- paste(d$geo1, d$urbrur)
  list(
    nation = "XA", groups = groups,
    areas = list(sub("geo_", "XA-", d$geo1), gsub("_", "-", sub("geo_", "XA-", d$geo2))),
    design = svydesign(ids = ~ea, strata = ~stratum, weights = ~hhweight, data = d),
    indicators = list(
      POV_FOODSHARE = average(d$share_food * 100), POV_EXP60 = poverty(d$pc_exp),
      HOU_WATER = share(member(d$water, improved_water)),
      HOU_SANIT = share(member(d$toilet, improved_toilet)),
      HOU_ELEC = share(d$electricity == "Yes"), HOU_CROWD = share(d$hhsize > 3 * d$rooms),
      EDU_LITSELF = share(recode(d$literacy, Yes = 1, No = 0) == 1, within(d$age >= 15)),
      EDU_YEARS = average(d$yrs_school, within(d$age >= 25)),
      EDU_PRIMARY = share(member(d$educ_attain, c("Primary", "Secondary", "University")),
                          within(d$age >= 25)),
      LAB_UNEMPDECL = share(activity == "UNEMP",
                            within(activity %in% c("EMP", "UNEMP") & d$age >= 15)),
      LAB_EMPDECL = share(activity == "EMP", within(d$age >= 15 & d$age <= 64)),
      LAB_NOWORKHH = share(!someone(activity == "EMP", d$hid), within(d$age >= 18 & d$age <= 59))))
}

# The rows of an area and of groups: list(REF_AREA = "AT-1", SEX = "F").
rows_of <- function(s, key) {
  inside <- rep(TRUE, nrow(s$groups))
  if (key$REF_AREA != s$nation) {
    found <- Filter(function(level) key$REF_AREA %in% level, s$areas)
    inside <- within(found[[1]] == key$REF_AREA)
  }
  for (name in setdiff(names(key), "REF_AREA")) {
    inside <- inside & within(s$groups[[name]] == key[[name]])
  }
  inside
}
asked <- function(s, indicator) rep_len(s$indicators[[indicator]]$universe, nrow(s$groups))
answered <- function(s, indicator) asked(s, indicator) & !is.na(s$indicators[[indicator]]$y)
factor_of <- function(s, indicator) if (s$indicators[[indicator]]$kind == "mean") 1 else 100

wsum <- function(x, w) sum(x * w)
line_of <- function(y, w) {
  o <- order(y)
  cumulative <- cumsum(w[o])
  q <- y[o][which(cumulative >= 0.5 * sum(w) * (1 - 1e-12))[1]]
  list(q = q, line = 0.6 * q)
}
kernel <- function(y, w, at) {
  n <- sum(w)
  centre <- wsum(y, w) / n
  width <- sqrt(wsum((y - centre)^2, w) / n) * n^-0.2
  wsum(dnorm((at - y) / width), w) / (n * width)
}
# value, density at the line and influence of a poverty rate. `outside` is the whole from which the
# domain is taken away: the density of a rest is what the whole's and the group's imply.
poor_in <- function(s, indicator, domain, whole = NULL) {
  y <- s$indicators[[indicator]]$y
  w <- weights(s$design)
  all <- !is.na(y)
  nation <- line_of(y[all], w[all])
  influence_line <- ifelse(all, -0.6 / kernel(y[all], w[all], nation$q) *
                             ((y <= nation$q) - 0.5) / sum(w[all]), 0)
  poor <- ifelse(all, as.numeric(y < nation$line), 0)
  inside <- domain & all
  size <- sum(w[inside])
  value <- wsum(poor[inside], w[inside]) / size
  if (is.null(whole)) {
    density <- kernel(y[inside], w[inside], nation$line)
  } else {
    around <- whole & all
    group <- around & !inside
    density <- (sum(w[around]) * kernel(y[around], w[around], nation$line) -
                  sum(w[group]) * kernel(y[group], w[group], nation$line)) / size
  }
  list(value = value, z = ifelse(inside, (poor - value) / size, 0) + density * influence_line)
}

level_of <- function(s, indicator, key) {
  domain <- rows_of(s, key)
  kind <- s$indicators[[indicator]]$kind
  inside <- domain & answered(s, indicator)
  w <- weights(s$design)
  s$design$variables$y <- s$indicators[[indicator]]$y
  sub <- subset(s$design, inside)
  df <- degf(sub)
  if (kind == "poverty") {
    poor <- poor_in(s, indicator, domain)
    value <- poor$value
    se <- as.numeric(SE(svytotal(cbind(poor$z), s$design)))
    z <- poor$z[inside]
    v <- w[inside]
    n <- length(z)
    centre <- wsum(z, v) / sum(v)
    deff <- se^2 / (wsum((z - centre)^2, v) / sum(v) * n / (n - 1) * sum(v)^2 / n)
  } else {
    m <- svymean(~y, sub, deff = "replace")
    value <- as.numeric(coef(m))
    se <- as.numeric(SE(m))
    deff <- as.numeric(deff(m))
  }
  if (kind == "mean") {
    bounds <- as.numeric(confint(m, df = df))
  } else if (kind == "share") {
    bounds <- as.numeric(confint(svyciprop(~y, sub, method = "xlogit", df = df)))
  } else {
    bounds <- plogis(qlogis(value) + c(-1, 1) * qt(0.975, df) * se / (value * (1 - value)))
  }
  f <- factor_of(s, indicator)
  list(OBS_VALUE = value * f, STD_ERR = se * f, LOWER_BOUND = bounds[1] * f,
       UPPER_BOUND = bounds[2] * f, DEGREES_FREEDOM = df, DESIGN_EFFECT = deff, CV = se / abs(value),
       UNWGTD_SAMPL_SIZE = sum(inside), WGTD_SAMPL_SIZE = sum(w[inside]),
       RESP_RATE = sum(inside) / sum(domain & asked(s, indicator)))
}

# Differences, ratios and odds ratios of two domains that may overlap. With `rest`, the second
# domain is the whole from which the first is taken away: all whom the breakdown places, or the
# nation. A part beside its whole or its rest has the degrees of freedom of the side with fewer.
gap_of <- function(s, indicator, measure, first, second, rest = FALSE) {
  whole <- rows_of(s, second)
  broken <- setdiff(names(first), names(second))
  for (name in broken) whole <- whole & !is.na(s$groups[[name]])
  a <- rows_of(s, first) & answered(s, indicator)
  b <- whole & answered(s, indicator)
  if (rest) b <- b & !a
  f <- factor_of(s, indicator)
  two_groups <- !rest && first$REF_AREA == second$REF_AREA
  df <- if (two_groups) degf(subset(s$design, a | b)) else
    min(degf(subset(s$design, a)), degf(subset(s$design, b)))
  if (s$indicators[[indicator]]$kind == "poverty") {
    pa <- poor_in(s, indicator, a)
    pb <- poor_in(s, indicator, b, if (rest) whole else NULL)
    joint <- vcov(svytotal(cbind(a = pa$z, b = pb$z), s$design))
    values <- c(pa$value, pb$value)
    slope <- switch(measure, DIFF = c(1, -1), RATIO = c(1, -1) / values,
                    OR = c(1, -1) / (values * (1 - values)))
    distance <- switch(measure, DIFF = values[1] - values[2], RATIO = log(values[1] / values[2]),
                       OR = qlogis(values[1]) - qlogis(values[2]))
    error <- sqrt(drop(slope %*% joint %*% slope))
  } else {
    y <- s$indicators[[indicator]]$y
    y[is.na(y)] <- 0
    totals <- svytotal(cbind(ya = y * a, na = +a, yb = y * b, nb = +b), s$design)
    both <- svycontrast(totals, list(a = quote(ya / na), b = quote(yb / nb)))
    values <- as.numeric(coef(both))
    joint <- vcov(both)
    apart <- switch(measure,
      DIFF = svycontrast(totals, quote(ya / na - yb / nb)),
      RATIO = svycontrast(totals, quote(log(ya / na) - log(yb / nb))),
      OR = svycontrast(totals, quote(log(ya / (na - ya)) - log(yb / (nb - yb)))))
    distance <- as.numeric(coef(apart))
    error <- as.numeric(SE(apart))
  }
  margin <- c(-1, 1) * qt(0.975, df) * error
  p <- 2 * pt(-abs(distance / error), df)
  if (measure == "DIFF") {
    value <- distance * f
    se <- error * f
    bounds <- (distance + margin) * f
  } else {
    value <- exp(distance)
    se <- value * error
    bounds <- exp(distance + margin)
  }
  list(OBS_VALUE = value, STD_ERR = se, LOWER_BOUND = bounds[1], UPPER_BOUND = bounds[2],
       EST_COMP = values[1] * f, EST_REF = values[2] * f, COV_COMP_REF = joint[1, 2] * f^2,
       N_COMP = sum(a), N_REF = sum(b), DEGREES_FREEDOM = df, P_VALUE = p)
}
