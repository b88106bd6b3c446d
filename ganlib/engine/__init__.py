"""The engine that trains a GAN in a browser, without a kernel or torch, equal to `ganlib.gan`.

Read each JavaScript file beside the Python file of the same name: gan, losses, networks, targets,
schedule, session. ops.js holds the seven products that training is made of, and engine.c the same
ones for WebAssembly.
"""
