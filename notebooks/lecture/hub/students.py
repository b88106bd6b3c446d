"""What both configurations of the hub share: when it must not start, and what a student may use."""

import ipaddress
import os
import stat
import sys
from pathlib import Path
from urllib.parse import urlsplit

# The students' edition, which `make.py student` makes.
EDITION = Path(__file__).parents[3] / ".cache/student"


def must(safe, words):
    """End here, before anything listens, unless it is safe."""
    if not safe:
        sys.exit(f"The hub does not start: {words}.")


def only_here(url):
    """Whether no other machine reaches this address."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name, or nothing, which is every address of this machine
        return False


def own_folder(path):
    """The folder of the hub's database and secrets, made if it is not there.

    It belongs to who runs the hub, and nobody else may enter it.
    """
    path = Path(path)
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    about = path.lstat()  # of a link, not of what it points at
    must(stat.S_ISDIR(about.st_mode), f"{path} is no folder")
    must(about.st_uid == os.geteuid(), f"{path} belongs to somebody else")
    must(not about.st_mode & 0o077, f"others may enter {path}; chmod 700 would keep them out")
    return path


def set_up(c, work):
    """Addresses, files of the hub, and what a student's server is and may use."""
    c.JupyterHub.bind_url = os.environ.get("COURSE_URL", "http://127.0.0.1:8000")
    c.JupyterHub.hub_port = int(os.environ.get("COURSE_HUB_PORT", 8081))
    c.JupyterHub.db_url = f"sqlite:///{work}/hub.sqlite"
    c.JupyterHub.cookie_secret_file = str(work / "cookie_secret")

    proxy = os.environ.get("COURSE_PROXY", "configurable-http-proxy")
    c.ConfigurableHTTPProxy.pid_file = str(work / "proxy.pid")
    c.ConfigurableHTTPProxy.command = proxy.split()
    c.ConfigurableHTTPProxy.api_url = os.environ.get("COURSE_PROXY_API", "http://127.0.0.1:8001")

    c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
    c.Spawner.default_url = "/lab"
    # Small networks: more threads only get in each other's way.
    c.Spawner.environment = {"OMP_NUM_THREADS": "1"}

    # A notebook of this course needs about 0.4 GB, a forgotten second one as much again. Both
    # limits are told to the server and NOT ENFORCED, as processes alone are not held to any.
    c.Spawner.mem_limit = "1G"
    c.Spawner.cpu_limit = 1.0
    c.JupyterHub.active_server_limit = 40
    # Two hundred students press the button in the same minute, and a busy machine starts slowly.
    c.JupyterHub.concurrent_spawn_limit = 5
    c.Spawner.start_timeout = 300
    c.Spawner.http_timeout = 120

    # What nobody uses is stopped: a kernel after half an hour, a server after an hour. While a
    # lab's page is open it says once a second that it is seen, which counts as use, playing or
    # not; with the page closed, nothing does.
    c.Spawner.args = [
        "--MappingKernelManager.cull_idle_timeout=1800",
        "--MappingKernelManager.cull_interval=120",
        "--MappingKernelManager.cull_connected=True",
    ]
    c.JupyterHub.services = [
        {
            "name": "idle-culler",
            "command": [sys.executable, "-m", "jupyterhub_idle_culler", "--timeout=3600"],
        }
    ]
    c.JupyterHub.load_roles = [
        {
            "name": "idle-culler",
            "services": ["idle-culler"],
            "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        }
    ]
