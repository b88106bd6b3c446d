"""Install the course into the folder .venv, and open it or test it. Nothing but Python is needed.

    python3 start.py                 make the course ready, and open it in JupyterLab
    python3 start.py test            make the tests ready, and run them
    python3 start.py install [test]  make the course (or the tests) ready, and no more
    python3 start.py bundle FOLDER   a copy of the course that installs with no network

On Windows write `py` for `python3`. `--cuda` takes PyTorch for a graphics card of NVIDIA. What else
is given goes to JupyterLab (`--no-browser`) or to pytest (`tests/test_gan.py`, `-k NAME`).

Each command may be repeated, and goes on where the last one stopped. The versions are those of
requirements.txt and tests/requirements.txt; when these change, the next command installs them.
"""

import hashlib
import importlib.util
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
NOTE = VENV / "start.json"  # what this script knows of the environment
WHEELS = ROOT / "wheels"  # a bundle carries its packages here

# A part of the course, and the files that say what it needs. uv takes those with checksums.
LOCKS = {
    "course": ["requirements.txt"],
    "test": ["requirements.txt", "tests/requirements.txt"],
}
SUMS = {"course": ["pylock.toml"], "test": ["pylock.toml", "tests/pylock.toml"]}

OLDEST = (3, 10)
NEWEST_TRIED = (3, 13)
LINUX = sys.platform.startswith("linux")

# PyTorch by itself. On Linux, PyPI has only the build for CUDA, with some 2.7 GB of libraries.
PYTORCH = "https://download.pytorch.org/whl/"
CPU = PYTORCH + "cpu"
CUDA_ON_WINDOWS = PYTORCH + "cu130"
PYPI = "https://pypi.org/simple/pip/"

GIGABYTE = 10**9
ROOM = 2 * GIGABYTE  # what the course and its tests take, without CUDA
PATIENCE = 5  # seconds to wait for a server's answer

# What a bundle leaves behind: what is made again, and what is not the course.
NOT_IN_A_BUNDLE = (
    ".git",
    ".venv",
    ".cache",
    ".*_cache",
    ".ipynb_checkpoints",
    "*.egg-info",
    "__pycache__",
    "node_modules",
    "runs",
    "wheels",
)


class Trouble(Exception):
    """What went wrong, in a sentence for who called."""


# -- small things ------------------------------------------------------------------------------


def say(words):
    print(f"-- {words}", flush=True)


def command_line(*arguments):
    """How this script is called here."""
    return " ".join(["py" if os.name == "nt" else "python3", "start.py", *arguments])


def answers(address):
    """Whether a server answers within a few seconds."""
    request = urllib.request.Request(address, method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE):
            return True
    except OSError:  # URLError is one
        return False


def environment():
    """The variables for what runs in .venv: its own programs come first."""
    found = {**os.environ, "VIRTUAL_ENV": str(VENV)}
    found["PATH"] = os.pathsep.join([str(PYTHON.parent), os.environ.get("PATH", "")])
    found.pop("PYTHONHOME", None)
    return found


def run(command, **more):
    """Run it in the course's folder; its exit code."""
    return subprocess.call([str(part) for part in command], cwd=ROOT, **more)


def output_of(command, **variables):
    """What a command prints, or "" if it fails."""
    words = [str(part) for part in command]
    env = {**os.environ, **variables}
    try:
        done = subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True)
    except OSError:  # there is no such program
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


# -- what is there -----------------------------------------------------------------------------


def digest(part):
    """A fingerprint of the versions that a part needs."""
    sha = hashlib.sha256()
    for name in LOCKS[part]:
        sha.update((ROOT / name).read_bytes())
    return sha.hexdigest()


def note():
    """What was noted of .venv: {} for one of which nothing is known."""
    try:
        found = json.loads(NOTE.read_text(encoding="utf-8"))
        return found if isinstance(found, dict) else {}
    except (OSError, ValueError):
        return {}


def write_note(**more):
    """Add to what is noted, at once or not at all."""
    part = NOTE.with_suffix(".part")
    part.write_text(json.dumps({**note(), **more}, indent=1), encoding="utf-8")
    os.replace(part, NOTE)


def is_ready(part):
    """Whether .venv has what this part needs, in the versions of today."""
    return works() and note().get(part) == digest(part)


def works():
    """Whether .venv has a Python that runs, and was made in this folder.

    What this script did not make, or not to its end, must have pip at least.
    """
    if note():
        return note().get("folder") == str(ROOT) and output_of([PYTHON, "-c", "print(1)"]) == "1"
    return output_of([PYTHON, "-m", "pip", "--version"]) != ""


def pinned_torch():
    """The version of torch that the course is tested with."""
    return re.search(r"^torch==(\S+)$", (ROOT / "requirements.txt").read_text(), re.M)[1]


def installed_torch():
    """The version of torch in .venv, such as 2.13.0+cpu; "" if there is none."""
    return output_of(
        [PYTHON, "-c", "from importlib import metadata as m; print(m.version('torch'))"]
    )


# -- installers --------------------------------------------------------------------------------


def make_venv():
    """Make .venv, or make it anew if it does not work; one that works is kept."""
    ours = (VENV / "pyvenv.cfg").exists() or (VENV.is_dir() and not any(VENV.iterdir()))
    if VENV.is_symlink() or (VENV.exists() and not ours):
        raise Trouble(f"{VENV} is no virtual environment of this folder: please move it away")
    if works():
        forget_halves()
        return

    if importlib.util.find_spec("ensurepip") is None:
        raise Trouble(
            "This Python cannot make virtual environments; on Debian or Ubuntu, "
            "`sudo apt install python3-venv` adds what is missing"
        )
    say(f"making a virtual environment in {VENV}")
    venv.create(VENV, clear=VENV.exists(), with_pip=True, symlinks=os.name != "nt")
    write_note(folder=str(ROOT))


def forget_halves():
    """Forget packages whose installation was cut off, so that they are installed again.

    Both pip and uv write INSTALLER when all other files are there.
    """
    for about in VENV.rglob("site-packages/*.dist-info"):
        if not (about / "INSTALLER").exists():
            shutil.rmtree(about)


def pip_settings():
    """What pip is told by its files and variables, which uv does not read: {name: value}."""
    text = output_of([PYTHON, "-m", "pip", "config", "list"], PIP_QUIET="0")
    return dict(re.findall(r"^(?:global|install|:env:)\.([\w-]+)='(.*)'$", text, re.M))


def uv_environment(settings):
    """pip's settings in the words of uv."""
    names = {
        "find-links": "UV_FIND_LINKS",
        "index-url": "UV_DEFAULT_INDEX",
        "extra-index-url": "UV_INDEX",
        "cert": "SSL_CERT_FILE",
    }
    found = {}
    for name, variable in names.items():
        if name in settings and variable not in os.environ:
            found[variable] = settings[name]
    if "UV_FIND_LINKS" in found:
        found["UV_FIND_LINKS"] = ",".join(found["UV_FIND_LINKS"].split())
    if "UV_INDEX" in found:
        # As pip does: the best version of all indexes, not the first index that has any.
        found["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return found


class Installer:
    """pip, or uv where it is there."""

    def __init__(self):
        self.offline = []
        if WHEELS.is_dir():
            self.offline = ["--no-index", "--find-links", WHEELS]
        self.uv = shutil.which("uv")
        self.environment = environment()
        self.plain = True
        if self.uv:
            settings = pip_settings()
            self.plain = not {"find-links", "index-url", "extra-index-url"} & set(settings)
            self.environment.update(uv_environment(settings))

    def install(self, *arguments):
        """Whether the installation went well."""
        program = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check"]
        if self.uv:
            program = [self.uv, "pip", "install", "--python", PYTHON]
        return run([*program, *arguments], env=self.environment) == 0

    def lock(self, part):
        """Install what a part needs; whether it went well."""
        where = self.offline if part == "course" else self.offline[1:]
        if self.uv and self.plain and not where:
            sums = all(self.install("-r", name) for name in SUMS[part])
            return sums and self.install("--no-deps", "-e", ".")
        return self.install(*where, "-r", LOCKS[part][-1])


def torch_for_cpu(install, fixed):
    """Install torch without CUDA, on Linux; whether that was possible.

    install: what installs the given arguments, and says whether it could.
    """
    say(f"{fixed} without CUDA: is it on this machine?")
    if install("-qqq", "--no-deps", "--no-index", fixed):
        return True
    say(f"no; asking {CPU}")
    if answers(f"{CPU}/torch/") and install("--no-deps", "--index-url", CPU, fixed):
        return True
    say(
        "it cannot be had there. PyPI has it with CUDA only, some 2.7 GB; it runs without a GPU, "
        "too. To stop, press Ctrl-C"
    )
    return False


def take_torch(installer, cuda):
    """Install torch in the build that is wanted, unless it is there.

    Which build is there does not show in its name everywhere, so it is noted.
    """
    fixed = f"torch=={pinned_torch()}"
    there = installed_torch()
    noted = note().get("cuda", False)
    if there.split("+")[0] == pinned_torch() and (noted or not cuda):
        return
    if installer.offline and not cuda:
        return  # it is in the bundle, and the lock names it

    if cuda or noted:
        if there:
            run([PYTHON, "-m", "pip", "uninstall", "--yes", "--quiet", "torch"])
        done = installer.install(*([] if LINUX else ["--index-url", CUDA_ON_WINDOWS]), fixed)
        if done and installed_torch().endswith("+cpu"):
            raise Trouble("The settings of pip lead to a build of torch without CUDA")
        write_note(cuda=done)
    elif LINUX:
        done = torch_for_cpu(installer.install, fixed) or installer.install(fixed)
    else:
        done = installer.install("--no-deps", fixed)  # the lock has what it needs
    if not done:
        raise Trouble(f"{fixed} could not be installed; the reason stands above")


def make_ready(part, cuda=False):
    """Install a part of the course, unless it is there."""
    if is_ready(part) and not cuda:
        return
    bundled = WHEELS / "made for.txt"
    if bundled.exists() and bundled.read_text(encoding="utf-8") != this_system():
        raise Trouble(
            f"This bundle was made for {bundled.read_text(encoding='utf-8')}; this is "
            f"{this_system()}. Take that Python, or delete the folder wheels to use the network"
        )

    make_venv()
    installer = Installer()
    say(f"installing what the {part} needs, with {'uv' if installer.uv else 'pip'}")
    write_note(course="", test="")  # not ready, while it is changed
    take_torch(installer, cuda)
    if not installer.lock(part):
        raise Trouble("Not everything could be installed; the reason stands above")
    for done in {"course", part}:
        write_note(**{done: digest(done)})
    say("all is installed")


# -- a bundle ----------------------------------------------------------------------------------


def this_system():
    """What the packages in a bundle are made for: the Python of .venv, if it is there."""
    ask = [PYTHON, "-c", "import platform; print(platform.python_version())"]
    version = output_of(ask) or platform.python_version()
    return f"Python {version.rpartition('.')[0]} on {platform.system()}, {platform.machine()}"


def bundle(folder):
    """Copy the course into a new folder, with all its packages beside it."""
    folder = Path(folder).resolve()
    if folder == ROOT or folder in ROOT.parents:
        raise Trouble(f"{folder} is the course itself, or around it: please name another folder")
    if folder.exists() and any(folder.iterdir()) and not (folder / "start.py").exists():
        raise Trouble(f"{folder} is not empty: please name a new folder")
    ignored = shutil.ignore_patterns(*NOT_IN_A_BUNDLE)

    def left_out(where, names):
        # Not the bundle itself, should it lie in the course's folder.
        return {*ignored(where, names), *(n for n in names if Path(where, n) == folder)}

    make_venv()
    say(f"copying the course to {folder}")
    shutil.copytree(ROOT, folder, ignore=left_out, dirs_exist_ok=True)

    wheels = folder / "wheels"
    wheels.mkdir(exist_ok=True)
    say("collecting its packages")

    def collect(*arguments):
        options = ["--wheel-dir", wheels, "--find-links", wheels, "--disable-pip-version-check"]
        return run([PYTHON, "-m", "pip", "wheel", *options, *arguments]) == 0

    if LINUX:
        torch_for_cpu(collect, f"torch=={pinned_torch()}")
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    packages = [line for line in lines if not line.startswith(("#", "-e"))]
    asked = VENV / "bundle.txt"
    asked.write_text("\n".join(packages) + "\n", encoding="utf-8")
    if not collect("-r", asked):
        raise Trouble("Not every package could be had; the reason stands above")

    (wheels / "made for.txt").write_text(this_system(), encoding="utf-8")
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    say(f"{folder} has {size / GIGABYTE:.1f} GB, for {this_system()}")
    say(f"copy it to such a machine; `{command_line()}` in the copy needs no network")


# -- the commands ------------------------------------------------------------------------------


def become(*arguments):
    """Run Python of .venv with these arguments instead of this script."""
    command = [str(PYTHON), *arguments]
    os.chdir(ROOT)
    sys.stdout.flush()
    if os.name != "nt":
        os.execve(command[0], command, environment())
    # Ctrl-C is for JupyterLab, which asks back.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(subprocess.call(command, env=environment()))


def obey(arguments):
    """Do what the command line asks."""
    commands = ["test", "install", "bundle"]
    command = arguments.pop(0) if arguments and arguments[0] in commands else "open"
    cuda = "--cuda" in arguments
    rest = [argument for argument in arguments if argument != "--cuda"]
    if cuda and sys.platform == "darwin":
        raise Trouble("There is no CUDA on a Mac: leave --cuda away")

    if command == "open":
        if rest and not rest[0].startswith("-"):
            raise Trouble(f"There is no command {rest[0]}, only {', '.join(commands)}")
        make_ready("course", cuda)
        become("-m", "jupyterlab", "--notebook-dir=.", "notebooks/00_start_here.ipynb", *rest)
    elif command == "test":
        make_ready("test", cuda)
        become("-m", "pytest", "-n", "2", *rest)
    elif command == "install":
        if rest not in ([], ["test"]):
            raise Trouble(f"install takes nothing or the word test, not {' '.join(rest)}")
        make_ready("test" if rest else "course", cuda)
    elif len(rest) != 1:
        raise Trouble("bundle takes one folder, the one to make")
    else:
        bundle(rest[0])


def reasons():
    """What may be the matter, as far as can be seen from here."""
    free = shutil.disk_usage(ROOT).free
    if free < ROOM:
        yield f"There are {free / GIGABYTE:.1f} GB free on this disk; all takes some 2 GB."
    if not WHEELS.is_dir() and not answers(PYPI):
        yield "pypi.org does not answer. Is there a network?"


def main():
    arguments = sys.argv[1:]
    if {"-h", "--help"} & set(arguments[:1]):
        print(__doc__)
        return
    if sys.version_info < OLDEST:
        sys.exit(f"This is Python {platform.python_version()}; the course needs 3.10 or newer.")
    if sys.version_info[:2] > NEWEST_TRIED:
        say(f"Python {platform.python_version()} is newer than the course knows; it may fail")

    try:
        obey(arguments)
    except KeyboardInterrupt:
        sys.exit("\nStopped. The same command goes on from here.")
    except (Trouble, OSError, subprocess.CalledProcessError) as trouble:
        lines = [f"{trouble}.", *reasons(), "When that is mended, the same command goes on."]
        sys.exit("\n".join(["", *lines]))


if __name__ == "__main__":
    main()
