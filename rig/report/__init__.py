"""Reports that an engineer signs: made of a result's JSON and of nothing else, as HTML and as PDF."""
