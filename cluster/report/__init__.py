"""The page about a plan: one HTML file with text, tables, pictures, style and script inside.

`findings` gathers what there is to tell, reading every block of the table once; one module for each
kind of picture draws it; `page` puts all into one file that needs neither a server nor a network.
What is drawn for a report is drawn in the same way for the page of `ogas bench claims`.
"""
