"""The scripts that people would write instead. Each is started by its path, as they would."""
