"""Questions put to a release, parsed and answered as pure functions."""
