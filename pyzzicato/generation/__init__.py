"""What every family needs to write notes: the interface, controls, sampling."""
