"""Tables in the layouts in which others publish them; one page for each layout."""
