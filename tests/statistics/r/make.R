# Makes expected.json. Debian: r-base-core, r-cran-survey, r-cran-jsonlite.
#
#   Rscript make.R SILC NORWAY WORLDBANK > expected.json
#
# SILC is dsd/surveys/data/eusilc.csv.gz. NORWAY and WORLDBANK are CSV exports of the declared
# sources (persons joined with households), which may not be passed on and are made with
#   from sdmx_service import load_project; from sdmx_service.survey.source import read_sources
#   p = load_project("."); read_sources(p.surveys["NO_ESS10"].sources, p.root).write_csv("no.csv")
arguments <- commandArgs(FALSE)
here <- dirname(sub("--file=", "", grep("--file=", arguments, value = TRUE)))
suppressPackageStartupMessages({
  source(file.path(here, "estimates.R"))
  library(jsonlite)
})
files <- commandArgs(TRUE)
surveys <- list(AT = austria(files[1]), NO = norway(files[2]), XA = world_bank(files[3]))

PREFIX <- c(SEX = "SEX_", AGE = "AGE_", URBANISATION = "URB_", INCOME_WEALTH_QUANTILE = "QNT_",
            MIGRATION_STATUS = "MIG_", HH_COMPOSITION = "HH_", POP_GROUP = "POP_")
ENOUGH <- 60  # people: smaller groups may be withheld by policy, and are no business of a test

number <- function(x) signif(unlist(x), 15)
areas_of <- function(s, level = 1) sort(unique(na.omit(s$areas[[level]])))
single <- function(s, dimensions) {
  unlist(lapply(dimensions, function(d) {
    lapply(sort(unique(na.omit(s$groups[[d]]))), function(g) setNames(list(g), d))
  }), recursive = FALSE)
}
crossed <- function(s, first, second) {
  unlist(lapply(single(s, first), function(a) lapply(single(s, second), function(b) c(a, b))),
         recursive = FALSE)
}

levels_made <- list()
add_levels <- function(nation, indicators, conditions, areas = nation) {
  s <- surveys[[nation]]
  for (indicator in indicators) for (area in areas) for (condition in conditions) {
    key <- c(list(REF_AREA = area), condition)
    inside <- rows_of(s, key) & answered(s, indicator)
    constant <- length(unique(s$indicators[[indicator]]$y[inside])) < 2
    if (sum(inside) < ENOUGH || constant) next
    row <- list(key = c(list(INDICATOR = indicator), key),
                numbers = number(level_of(s, indicator, key)))
    levels_made[[length(levels_made) + 1]] <<- row
  }
}

gaps_made <- list()
add_gap <- function(indicator, measure, area, breakdown, group, reference, condition = list()) {
  nation <- substr(area, 1, 2)
  s <- surveys[[nation]]
  first <- second <- c(list(REF_AREA = area), condition)
  rest <- reference %in% c("REST", "AREA_REST")
  if (breakdown == "REF_AREA") {
    second$REF_AREA <- nation
    names <- c("AREA_SELF", reference)
  } else {
    first[[breakdown]] <- group
    if (!rest) second[[breakdown]] <- reference
    names <- paste0(PREFIX[[breakdown]], c(group, reference))
  }
  key <- c(list(INDICATOR = indicator, GAP_MEASURE = measure, REF_AREA = area, BREAKDOWN = breakdown,
                COMPARISON_GROUP = names[1], REFERENCE_GROUP = names[2]), condition)
  found <- number(gap_of(s, indicator, measure, first, second, rest))
  if (min(found[c("N_COMP", "N_REF")]) < ENOUGH) return(invisible())
  gaps_made[[length(gaps_made) + 1]] <<- list(key = key, numbers = found)
}

austrian <- names(surveys$AT$indicators)
at <- surveys$AT
people <- setdiff(names(at$groups), "POP_GROUP")  # indicators of work have no groups of work
add_levels("AT", austrian, c(list(list()), single(at, people), crossed(at, "SEX", "AGE")))
add_levels("AT", "POV_ARPT60", single(at, "POP_GROUP"))
add_levels("AT", austrian, list(list()), areas_of(at))
add_levels("AT", "POV_ARPT60", single(at, c("SEX", "AGE")), "AT-9")
add_levels("NO", names(surveys$NO$indicators), c(list(list()), single(surveys$NO, "SEX")))
add_levels("NO", "CAP_IMMIGLIFE", list(list()), areas_of(surveys$NO))
world <- c("POV_EXP60", "POV_FOODSHARE", "HOU_SANIT", "EDU_YEARS", "EDU_LITSELF", "LAB_EMPDECL")
add_levels("XA", world, c(list(list()), single(surveys$XA, c("URBANISATION", "SEX"))))
add_levels("XA", "POV_FOODSHARE", list(list()), areas_of(surveys$XA))

for (indicator in c("POV_ARPT60", "LAB_EMPDECL")) {
  for (measure in c("DIFF", "RATIO", "OR")) {
    add_gap(indicator, measure, "AT", "SEX", "F", "M")
    add_gap(indicator, measure, "AT-9", "SEX", "F", "M")
    add_gap(indicator, measure, "AT", "SEX", "F", "M", list(AGE = "Y25T54"))
    add_gap(indicator, measure, "AT", "MIGRATION_STATUS", "CIT_OTHER", "CIT_NAT")
    for (age in c("Y15T24", "Y55T64")) add_gap(indicator, measure, "AT", "AGE", age, "Y25T54")
  }
  add_gap(indicator, "DIFF", "AT", "MIGRATION_STATUS", "CIT_OTHER", "REST")
  add_gap(indicator, "DIFF", "AT", "HH_COMPOSITION", "HH1", "REST")
  for (area in areas_of(at)) {
    add_gap(indicator, "DIFF", area, "REF_AREA", NULL, "AREA_NATIONAL")
    add_gap(indicator, "DIFF", area, "REF_AREA", NULL, "AREA_REST")
  }
  add_gap(indicator, "RATIO", "AT-9", "REF_AREA", NULL, "AREA_NATIONAL")
  add_gap(indicator, "DIFF", "AT-9", "REF_AREA", NULL, "AREA_REST", list(SEX = "F"))
}
for (indicator in names(surveys$NO$indicators)) add_gap(indicator, "DIFF", "NO", "SEX", "F", "M")
for (measure in c("DIFF", "RATIO", "OR")) {
  add_gap("PAR_POLINT", measure, "NO", "AGE", "Y_GE65", "Y25T54")
  for (indicator in c("POV_EXP60", "HOU_SANIT", "EDU_LITSELF")) {
    add_gap(indicator, measure, "XA", "URBANISATION", "RUR", "URB")
  }
}
add_gap("EDU_YEARS", "RATIO", "XA", "INCOME_WEALTH_QUANTILE", "Q1", "Q5")
add_gap("POV_FOODSHARE", "DIFF", "XA-01", "REF_AREA", NULL, "AREA_REST")

# One row a line, so that a change of one number is a change of one line.
lines <- function(rows) paste0("    ", sapply(rows, function(row) {
  paste0("[", toJSON(row$key, auto_unbox = TRUE), ", ", toJSON(unname(row$numbers), digits = NA), "]")
}), collapse = ",\n")
made <- list(R = as.character(getRversion()), survey = as.character(packageVersion("survey")),
             date = format(Sys.Date()), script = "make.R",
             sources = "see docs/licences.md: AT synthetic EU-SILC, NO ESS round 10, XA World Bank")
cat("{\n  \"made\": ", toJSON(made, auto_unbox = TRUE),
    ",\n  \"level_columns\": ", toJSON(names(levels_made[[1]]$numbers)),
    ",\n  \"levels\": [\n", lines(levels_made), "\n  ],\n",
    "  \"gap_columns\": ", toJSON(names(gaps_made[[1]]$numbers)),
    ",\n  \"gaps\": [\n", lines(gaps_made), "\n  ]\n}\n", sep = "")
