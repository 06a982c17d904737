"""What an office declares: indicators, surveys and policies, read from YAML and cross-checked."""
