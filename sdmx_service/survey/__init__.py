"""Design-based statistics: one core of influence values, everything else thin layers on it.

design       Design, Lonely: weights, PSUs, strata and what is done with a lonely PSU
cells        Cells, Grouping: the domains of interest, any number of overlapping partitions
outcome      known_values, seen: which rows have an outcome, which a statistic sees
influence    accumulate: influence values of any statistic, summed once to PSU by cell
variance     deviations, covariance: from PSU sums of influence values to variances
estimate     Estimates; total, mean, proportion, ratio by cell
poverty      threshold, rate: at-risk-of-poverty with its estimated threshold
interval     t, logit, Korn-Graubard and log-t intervals for arrays of estimates
gap          compare, versus_rest, between: differences, ratios and odds ratios with covariance
multiplicity adjust: Holm and Benjamini-Hochberg within declared families
sandwich     glm_covariance: design-based covariance of a statsmodels GLM
"""
