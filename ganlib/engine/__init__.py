"""The engine that trains a GAN in a browser, without a kernel or torch, equal to `ganlib.gan`.

Read each JavaScript file beside the Python file of the same name: gan, losses, networks, targets,
schedule, session, gauges, games; and beside those of `ganlib.labs`: session_lab, gan_lab,
plane_lab, slow_motion, discriminator, players. ops.js holds the seven products that training is
made of, and engine.c the same ones for WebAssembly. page.js puts a lab into a page, notebook.js
into one that has a kernel, too.
"""
