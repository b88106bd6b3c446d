"""The two configurations of a hub: both are safe or do not start; accounts of their own are apart.

Every configuration is read in a process of its own, as it would be by JupyterHub.
"""

import importlib.util
import json
import os
import pwd
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

HUB = Path(__file__).parent.parent / "notebooks/lecture/hub"
NOBODY = 65534
PASSWORD = "correct horse battery"

# What is imported must be so before the process becomes somebody else's.
READ = """
import json, os, pwd, shutil, subprocess, sys
from pathlib import Path
class Config(dict):
    def __getattr__(self, name):
        return self.setdefault(name, Config())
    __setattr__ = dict.__setitem__

path, uid = sys.argv[1], int(sys.argv[2])
code = compile(Path(path).read_text(encoding="utf-8"), path, "exec")
sys.path.insert(0, str(Path(path).parent))
import students
if uid != os.geteuid():
    os.setuid(uid)
c = Config()
exec(code, {"get_config": lambda: c, "__file__": path})
print(json.dumps(c, default=str))
"""


def read(name, folder, uid, **given):
    """(the configuration, or None if it refuses; its words)"""
    given = {f"COURSE_{key}": value for key, value in given.items()}
    kept = {key: value for key, value in os.environ.items() if not key.startswith("COURSE_")}
    done = subprocess.run(
        [sys.executable, "-S", "-c", READ, str(HUB / f"{name}.py"), str(uid)],
        capture_output=True,
        text=True,
        env={**kept, "COURSE_WORK": str(folder), **given},
    )
    if done.returncode:
        assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
        return None, done.stderr
    return json.loads(done.stdout), done.stderr


def somebody():
    """Who is not root: we, or nobody."""
    return os.geteuid() or NOBODY


def only_by_root():
    if os.geteuid() != 0:
        pytest.skip("only root can read what root alone may start")


@pytest.fixture
def work(tmp_path):
    """A folder of somebody's, in a place that all may reach."""
    top = Path(tempfile.gettempdir())
    for parent in (tmp_path, *tmp_path.parents):
        if top in parent.parents and parent.stat().st_uid == os.geteuid():
            parent.chmod(0o755)
    folder = tmp_path / "hub"
    folder.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
    return folder


def test_one_account_starts_with_a_password_and_only_here(work):
    c, _ = read("one_account", work, somebody(), PASSWORD=PASSWORD)
    assert c["JupyterHub"]["bind_url"] == "http://127.0.0.1:8000"
    assert c["DummyAuthenticator"]["password"] == PASSWORD
    assert c["Spawner"]["mem_limit"] == "1G"
    assert c["Spawner"]["cpu_limit"] == 1.0
    assert c["Spawner"]["environment"] == {"OMP_NUM_THREADS": "1"}
    assert "--MappingKernelManager.cull_idle_timeout=1800" in c["Spawner"]["args"]
    assert "--allow-root" not in c["Spawner"]["args"]

    (culler,) = c["JupyterHub"]["services"]
    assert "--timeout=3600" in culler["command"]
    assert culler["name"] in c["JupyterHub"]["load_roles"][0]["services"]

    c, _ = read("one_account", work, somebody(), PASSWORD=PASSWORD, URL="http://:8000", OPEN="yes")
    assert c["JupyterHub"]["bind_url"] == "http://:8000"


@pytest.mark.parametrize(
    "given, words",
    [
        ({}, "COURSE_PASSWORD must have at least twelve characters"),
        ({"PASSWORD": "short"}, "twelve characters"),
        ({"PASSWORD": PASSWORD, "URL": "http://0.0.0.0:8000"}, "COURSE_OPEN=yes allows it"),
        ({"PASSWORD": PASSWORD, "URL": "http://:8000"}, "COURSE_OPEN=yes allows it"),
        ({"PASSWORD": PASSWORD, "URL": "http://192.168.1.7"}, "COURSE_OPEN=yes allows it"),
        ({"PASSWORD": PASSWORD, "URL": "http://a.house", "OPEN": "no"}, "COURSE_OPEN=yes"),
        ({"PASSWORD": "", "URL": "http://0.0.0.0", "OPEN": "yes"}, "twelve characters"),
    ],
)
def test_one_account_does_not_start_unless_it_is_safe(work, given, words):
    c, said = read("one_account", work, somebody(), **given)
    assert c is None
    assert said.startswith("The hub does not start: ") and words in said


def test_one_account_does_not_start_by_root(tmp_path):
    only_by_root()
    c, said = read("one_account", tmp_path / "hub", 0, PASSWORD=PASSWORD)
    assert c is None and "it is run by root" in said


def test_neither_starts_in_a_folder_that_others_may_enter(work):
    link = work.parent / "link"
    link.symlink_to(work)
    c, said = read("one_account", link, somebody(), PASSWORD=PASSWORD)
    assert c is None and "is no folder" in said

    work.chmod(0o750)
    c, said = read("one_account", work, somebody(), PASSWORD=PASSWORD)
    assert c is None and f"others may enter {work}; chmod 700" in said

    only_by_root()
    c, said = read("own_accounts", work, 0)
    assert c is None and f"{work} belongs to somebody else" in said


def test_the_folder_is_made_for_its_owner_alone(tmp_path):
    only_by_root()
    c, _ = read("own_accounts", tmp_path / "new", 0)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    assert c["JupyterHub"]["db_url"] == f"sqlite:///{tmp_path / 'new'}/hub.sqlite"


def test_own_accounts_starts_by_root_alone(work):
    c, said = read("own_accounts", work, somebody())
    assert c is None and "only root can start each student's server" in said

    only_by_root()
    c, _ = read("own_accounts", work.parent / "its own", 0)
    assert c["JupyterHub"]["authenticator_class"] == "pam"
    assert c["JupyterHub"]["spawner_class"] == "localprocess"
    assert "allow_all" not in c.get("Authenticator", {})


@pytest.mark.parametrize("given", [{}, {"CERT": "c.pem"}, {"KEY": "k.pem"}])
def test_own_accounts_is_not_reached_from_afar_without_a_certificate(tmp_path, given):
    only_by_root()
    c, said = read("own_accounts", tmp_path / "hub", 0, URL="https://:443", **given)
    assert c is None and "passwords need COURSE_CERT and COURSE_KEY" in said


def test_its_names_are_those_of_jupyterhub(tmp_path):
    if not importlib.util.find_spec("jupyterhub"):
        pytest.skip("no JupyterHub here")
    only_by_root()
    from jupyterhub import app, auth, spawner

    c, _ = read("own_accounts", tmp_path / "hub", 0)
    for name, settings in c.items():
        owners = (app, auth, spawner, importlib.import_module("jupyterhub.proxy"))
        (owner,) = {getattr(o, name) for o in owners if hasattr(o, name)}
        assert all(hasattr(owner, setting) for setting in settings)


def test_what_an_example_is_for_stands_in_capital_letters():
    text = (HUB / "one_account.py").read_text(encoding="utf-8")
    assert text.startswith('"""JupyterHub TO TRY IT OUT')
    assert "NOT FOR A CLASS" in text and "ALL STUDENTS SHARE ONE ACCOUNT" in text


# -- two students, a real hub --------------------------------------------------------------------


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture
def students():
    """Two students and a guest, who is in no group: {name: uid}, as accounts of this machine."""
    only_by_root()
    missing = [name for name in ("useradd", "chpasswd", "groupadd") if not shutil.which(name)]
    if missing:
        pytest.skip(f"no {', '.join(missing)} here")
    group_is_ours = not subprocess.run(["groupadd", "students"], capture_output=True).returncode
    names = [f"course-{role}-{os.getpid()}" for role in ("ada", "bob", "guest")]
    try:
        for name in names:
            groups = [] if "guest" in name else ["--groups", "students"]
            home = ["--create-home", "-K", "HOME_MODE=0700"]
            subprocess.run(["useradd", *home, *groups, name], check=True)
        words = "".join(f"{name}:{PASSWORD}\n" for name in names)
        subprocess.run(["chpasswd"], input=words, text=True, check=True)
        yield {name: pwd.getpwnam(name).pw_uid for name in names}
    finally:
        for name in names:
            subprocess.run(["userdel", "--remove", "--force", name], capture_output=True)
        if group_is_ours:
            subprocess.run(["groupdel", "students"], capture_output=True)


def as_user(uid, *command):
    """What a command gives when this account runs it."""
    return subprocess.run(
        command, user=uid, group=uid, extra_groups=[], cwd="/", capture_output=True, text=True
    )


@pytest.fixture
def hub(tmp_path):
    """The address of a hub with own accounts, and its folder."""
    if not importlib.util.find_spec("jupyterhub"):
        pytest.skip("no JupyterHub here")
    proxy = os.environ.get("COURSE_PROXY", shutil.which("configurable-http-proxy"))
    if not proxy:
        pytest.skip("no configurable-http-proxy here: set COURSE_PROXY to the command")
    if as_user(NOBODY, sys.executable, "-c", "import jupyterhub").returncode:
        pytest.skip(f"students may not read {sys.executable}")

    given = {
        "COURSE_WORK": str(tmp_path / "hub"),
        "COURSE_URL": f"http://127.0.0.1:{free_port()}",
        "COURSE_HUB_PORT": str(free_port()),
        "COURSE_PROXY": proxy,
        "COURSE_PROXY_API": f"http://127.0.0.1:{free_port()}",
    }
    command = [sys.executable, "-m", "jupyterhub", "-f", str(HUB / "own_accounts.py")]
    with (
        open(tmp_path / "log", "w") as log,
        subprocess.Popen(
            command, env={**os.environ, **given}, cwd=tmp_path, stdout=log, stderr=log
        ) as process,
    ):
        try:
            wait(lambda: answers(given["COURSE_URL"] + "/hub/login"), tmp_path / "log")
            yield given["COURSE_URL"], tmp_path / "hub"
        finally:
            process.terminate()
            process.wait(60)


def wait(done, log):
    for _ in range(360):
        found = done()
        if found:
            return found
        time.sleep(0.5)
    raise AssertionError(f"nothing after three minutes:\n{log.read_text()[-3000:]}")


def answers(url, browser=None):
    """Whether a page is there, for this browser."""
    open_page = browser.open if browser else urllib.request.urlopen
    try:
        return open_page(url, timeout=5).status == 200
    except OSError:
        return False


def log_in(url, name, password):
    """A browser that has logged in as this student, or None if the hub refused."""
    jar = urllib.request.HTTPCookieProcessor()
    browser = urllib.request.build_opener(jar)
    page = browser.open(f"{url}/hub/login").read().decode()
    token = re.search(r'name="_xsrf"\s+value="([^"]+)"', page).group(1)
    form = urllib.parse.urlencode({"username": name, "password": password, "_xsrf": token})
    try:
        browser.open(f"{url}/hub/login?_xsrf={token}", form.encode())
    except urllib.error.HTTPError as refused:
        assert refused.code in (401, 403)
        return None
    return browser


def servers_of(uid):
    """The commands that run in this account."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.stat().st_uid == uid:
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:  # it has just ended
            continue
    return [command for command in found if "jupyterhub.singleuser" in command]


@pytest.mark.slow
def test_two_students_with_accounts_of_their_own_are_apart(students, hub, tmp_path):
    url, folder = hub
    ada, bob, guest = students
    assert log_in(url, ada, "wrong") is None
    assert log_in(url, guest, PASSWORD) is None  # an account, but no student's
    assert log_in(url, "root", PASSWORD) is None

    for name in (ada, bob):
        browser = log_in(url, name, PASSWORD)
        browser.open(f"{url}/hub/spawn/{name}")
        wait(lambda: answers(f"{url}/user/{name}/api", browser), tmp_path / "log")  # noqa: B023
        assert len(servers_of(students[name])) == 1

    home = Path(pwd.getpwnam(ada).pw_dir)
    secret = home / "secret"
    assert as_user(students[ada], "sh", "-c", f"echo mine > {secret}").returncode == 0
    assert as_user(students[ada], "cat", str(secret)).stdout == "mine\n"
    for target in (secret, home, folder / "hub.sqlite", folder / "cookie_secret"):
        assert target.exists()
        for command in (["cat"], ["ls"], ["rm", "-rf"], ["touch"]):
            seen = as_user(students[bob], *command, str(target))
            assert seen.returncode != 0 and not seen.stdout
    assert secret.read_text() == "mine\n"
