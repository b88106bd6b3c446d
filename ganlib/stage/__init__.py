"""The stage: a small framework that draws and plays any lab. It knows no GAN.

A lab is a `Lab` (lab.py) with a scene (scene.py: axes, marks, controls), a function `draw` that
gives an array for each mark, and a function `text` that says the same in a sentence. wire.py packs
the arrays, js/ draws them in the browser, and poster.py draws them for the stored notebook. In a
page without a kernel js/lab.js takes the place of lab.py. CONTRIBUTING.md has a whole lab in about
thirty lines.
"""
