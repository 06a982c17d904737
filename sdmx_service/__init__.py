"""Statistical reporting and indicator publication on SDMX."""

__version__ = "0.1.0"
