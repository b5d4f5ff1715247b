"""A model's score sheet: measured on music it was not trained on."""
