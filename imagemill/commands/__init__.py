"""The commands, one module for each verb. They share what is above them, never each other."""
