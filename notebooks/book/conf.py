"""Sphinx's settings for the book; `build.py` beside this file lays it out and calls Sphinx."""

# The address of the public repository, such as "https://github.com/NAME/gan-course". When it is
# set, every notebook's page has launch buttons for Binder and Colab, and badges.py beside this file
# puts some at the head of README.md; while it is empty there are none.
REPOSITORY = ""

# The address of the folder on the web that holds lab.html (notebooks/lecture/lab.py makes it), such
# as "https://NAME.github.io/gan-course". Links that lab.html copies begin there; while it is empty,
# they begin with the page they are copied from.
SITE = ""

project = "Generative adversarial networks, in your hands"
author = "The founders of the course"
extensions = ["myst_nb", "sphinxcontrib.bibtex"]

html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["_static"]
html_css_files = ["book.css"]
html_js_files = ["scroll.js"]
html_copy_source = False
html_show_copyright = False
html_theme_options = {
    "use_download_button": False,
    "show_toc_level": 2,
    # No bar at the top: its hidden menu button would be taken for the one that opens the menu on a
    # phone.
    "navbar_start": [],
    "navbar_center": [],
    "navbar_end": [],
    "navbar_persistent": [],
}
if REPOSITORY:
    html_theme_options |= {
        "repository_url": REPOSITORY,
        "repository_branch": "main",
        "path_to_docs": "",
        "launch_buttons": {
            "binderhub_url": "https://mybinder.org",
            "notebook_interface": "jupyterlab",
            "colab_url": "https://colab.research.google.com",
        },
    }

myst_enable_extensions = ["dollarmath", "amsmath", "deflist"]
myst_heading_anchors = 3
bibtex_bibfiles = ["references.bib"]

# The book shows the notebooks as they are stored, and folds nothing but the solutions.
nb_execution_mode = "off"
nb_code_prompt_show = "Show the solution"
nb_code_prompt_hide = "Hide the solution"

# One file, all fonts in it: nothing is loaded later, from nowhere.
mathjax_path = "mathjax/tex-svg.js"


def plain_list(app, page, template, context, doctree):
    """Take the role of a list away: its entries have none, and a screen reader would count 0."""
    body = context.get("body", "")
    context["body"] = body.replace(
        '<div role="list" class="citation-list">', '<div class="citation-list">'
    )


def setup(app):
    app.connect("html-page-context", plain_list)
    # Mathematics in raw HTML, as in a quiz, needs MathJax on every page.
    app.set_html_assets_policy("always")
