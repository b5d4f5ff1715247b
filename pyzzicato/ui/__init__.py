"""The app's screen: the only part of the package that imports streamlit."""
