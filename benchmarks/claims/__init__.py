"""Published claims about planning by computer, measured again: `ogas bench claims`.

One row per experiment (`rows`): an economy is drawn, planned by the command line as anyone would
(`measuring`, `revising`), and solved by other software on the same matrix (`handover`, `peer`).
What was found stays in a folder (`results`), and goes on one page (`page`).
"""
