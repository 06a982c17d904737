"""Design-based statistics: one core of influence values, everything else thin layers on it.

The core
    design, stages, table     weights, PSUs, strata, further stages, finite populations
    cells, outcome            the domains of interest; which rows have an outcome
    influence, variance       influence values summed once to PSU by cell, and what they vary
    linear, grouped           the same from sums alone, of rows in memory or chunk by chunk
    joint, derived            estimates of all cells with their covariance, and functions of them
    replicates, replication   replicate weights read or made: BRR, Fay, jackknife, bootstrap, SDR
    calibration, standard     post-stratification, raking, GREG; direct standardisation
From a declared survey
    source, raw, sample       its files and its people
    declared                  its design: stages, replicates, calibration
    tabulation, comparison    an indicator in every group; which groups are compared
Statistics by cell
    estimate, spread          totals, means, proportions, ratios; variances
    quantile, ordered         quantiles by eleven rules with Woodruff intervals
    poverty, poverty_line     thresholds, rates, gaps under an estimated line
    through_line              the same on calibrated weights
    lorenz, inequality        Gini, quintile share ratio, entropy, Atkinson
    multidimensional          Alkire and Foster's headcount, intensity, contributions
    deprivation               enforced lack, severe deprivation, work intensity, their union
    scale, reliability_alpha  item scores, Cronbach's alpha; factor: loadings, adequacy
    interval                  t, logit, Korn-Graubard, Wilson, likelihood, arcsine, log-t
    profile_likelihood        the likelihood interval by the steps that R takes
Between cells
    gap, pairs, multiplicity  differences, ratios, odds ratios; families, simultaneous intervals
    attributable, interaction what would change if a group had another's rate; groups crossed
    independence              Rao-Scott and Wald tests
    disparity, decomposition  HEAT's measures; within and between areas
    sandwich, margins         models with design-based errors; adjusted gaps
    oaxaca                    Oaxaca, Blinder and Kitagawa
    pooling, change           waves of one survey, change, slope, breaks
Areas
    smallarea, smoothing      Fay and Herriot; benchmarking: areas that add up to the nation
"""
