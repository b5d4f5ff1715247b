"""The tests are a package so that each of their modules has one name, whoever imports it."""
