"""The page ``browse.html`` of a result: all images with their rows, and filters; no server is needed.

The page is one file: `page` puts the rows, as JSON, and the script of ``page.js`` into ``page.html``. The
images stay where they are and are loaded as one scrolls to them. Texts of the rows reach the document only as
text, and a content security policy allows no other script: a file may be named like HTML.
"""
