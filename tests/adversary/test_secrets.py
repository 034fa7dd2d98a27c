"""Secrets: what any local user can ask, read or receive holds none."""
import base64
import io
import os
import re
import stat
import sys
import zipfile

from attack import HERE, check_live, fake, settled, user
from lab import check, config, equal, test, wait_for
from test_http import raw_answer, store_path

# One text for each place where a secret may be, so that a leak says whence.
CONFIG = """// password = "PLANTEDcomment"
pyroscope.write "w" {
  endpoint {
    url     = "http://user:PLANTEDurl@127.0.0.1:4040"
    headers = {"X-Api-Key" = "PLANTEDapikey", "X-Grafana-Key" = "PLANTEDgrafana",
               "Authorization" = "Bearer PLANTEDauthz",
               "Cookie" = "PLANTEDcookie", "X-Scope-OrgID" = "tenant"}
  }
  endpoint {
    url = "http://127.0.0.1:4041"
    basic_auth {
      username = "u"
      password = "PLANTEDpass"
    }
  }
  endpoint {
    url          = "http://127.0.0.1:4042"
    bearer_token = "PLANTEDbearer"
  }
  endpoint {
    url       = "http://127.0.0.1:4043"
    proxy_url = "http://p:PLANTEDproxy@127.0.0.1:9"
    authorization {
      type        = "Bearer"
      credentials = "PLANTEDcredentials"
    }
  }
  endpoint {
    url = "https://127.0.0.1:4044"
    tls_config {
      key_pem  = "-----BEGIN PRIVATE KEY-----PLANTEDkeypem"
      cert_pem = "x"
    }
  }
}
discovery.process "all" { }
"""
ENVIRONMENT = {name: "PLANTED" + name.lower().replace("_", "") for name in (
    "ENCRYPTION_KEY", "GITHUB_PAT", "JWT", "CREDS", "KUBECONFIG_DATA", "AWS_SECRET_ACCESS_KEY", "MYSQL_PWD",
    "PASSPHRASE",
    "DB_URL", "TEAM_TOKEN", "SESSION", "SOMETHING_ELSE")}


def planted(text):
    return sorted(set(re.findall(r"PLANTED[a-z]+", text)))


def started(lab, text=CONFIG, *args):
    return lab.agent(*args, config=text, env=ENVIRONMENT)


@test
def components_show_no_secret(lab):
    """Any local user asks for the components, one by one and together: headers, URLs, proxies and options are
    covered."""
    agent = started(lab)
    for path in ("/api/v0/web/components", "/api/v0/web/components/pyroscope.write.w",
                 "/api/v0/web/components/discovery.process.all", "/metrics", "/-/healthy", "/api/v0/web/peers"):
        equal(planted(agent.http("GET", path)[1]), [], f"secrets in {path}")
    shown = agent.http("GET", "/api/v0/web/components/pyroscope.write.w")[1]
    check("127.0.0.1:4040" in shown, f"what is no secret is gone: {shown[:500]}")


@test
def secrets_in_components_of_modules_are_covered(lab):
    """The same one module down, where the value comes as an argument."""
    agent = lab.agent(config="""
declare "mod" {
  argument "key" { }
  pyroscope.write "inner" {
    endpoint {
      url     = "http://u:PLANTEDinner@127.0.0.1:9"
      headers = {"X-Api-Key" = argument.key.value}
    }
  }
}
mod "a" {
  key = "PLANTEDargument"
}
""")
    for path in ("/api/v0/web/components", "/api/v0/web/modules/mod.a/components",
                 "/api/v0/web/components/mod.a/pyroscope.write.inner"):
        equal(planted(agent.http("GET", path)[1]), [], f"secrets in {path}")


def broken(lab, agent, old, new):
    text = (lab.dir / "config.alloy").read_text()
    check(old in text, f"no {old} in the configuration")
    lab.file("config.alloy", text.replace(old, new))
    status, answer = agent.reload()
    check(status >= 400, f"a broken configuration was loaded: {status}")
    lab.file("config.alloy", text)
    return answer


@test
def answers_to_reload_show_no_secret(lab):
    """Mistakes beside secrets: the excerpts in the answer and in the log leave them out, line and column stay."""
    agent = started(lab)
    for old, new in (('"PLANTEDpass"', '"PLANTEDpass" "'), ('"PLANTEDbearer"', 'PLANTEDbearer'),
                     ('password = "PLANTEDpass"', 'password == "PLANTEDpass"'),
                     ('"PLANTEDpass"', '["PLANTEDpass"]'),
                     ('"X-Api-Key" = "PLANTEDapikey"', '"X-Api-Key" = "PLANTEDapikey" +'),
                     ('bearer_token =', 'bearer_tokne ='), ('username = "u"', 'usernam = "u"'),
                     ('key_pem  = ', 'key_pem  '),
                     ('"http://p:PLANTEDproxy@127.0.0.1:9"', '"http://p:PLANTEDproxy@127.0.0.1:9')):
        answer = broken(lab, agent, old, new)
        equal(planted(answer), [], f"secrets in the answer to {new}: {answer}")
        check(re.search(r"\d+:\d+", answer), f"no place in the answer: {answer}")
    equal(planted(agent.text()), [], "secrets in the log")


@test
def the_log_of_a_failed_start_shows_no_secret(lab):
    """A mistake at the start: the log names line and column, and no secret."""
    agent = lab.start_agent(config=CONFIG.replace('"PLANTEDpass"', '"PLANTEDpass" "'), env=ENVIRONMENT)
    check(agent.wait(15) != 0, "it started")
    equal(planted(agent.text()), [], "secrets in the log")
    check(re.search(r"\d+:\d+", agent.text()), f"no place in the log: {agent.text()}")


@test
def values_that_do_not_fit_are_not_quoted(lab):
    """A secret of the wrong type, a URL that cannot be parsed: what is said about them does not hold them."""
    agent = started(lab)
    for old, new in (('"http://user:PLANTEDurl@127.0.0.1:4040"', '"http://user:PLANTEDurl@127.0.0.1:99999999/"'),
                     ('"http://user:PLANTEDurl@127.0.0.1:4040"', '"ftp://user:PLANTEDurl@127.0.0.1/"'),
                     ('"http://p:PLANTEDproxy@127.0.0.1:9"', '"socks9://p:PLANTEDproxy@127.0.0.1:9"')):
        text = (lab.dir / "config.alloy").read_text()
        lab.file("config.alloy", text.replace(old, new))
        answer = agent.reload()[1]
        lab.file("config.alloy", text)
        equal(planted(answer), [], f"secrets in the answer to {new}: {answer}")
    equal(planted(agent.text()), [], "secrets in the log")


@test
def bundles_hold_no_secret(lab):
    """A support bundle: configuration, components, environment and logs are covered; what is no secret is there."""
    agent = started(lab)
    broken(lab, agent, '"PLANTEDpass"', '"PLANTEDpass" "')
    status, _, body = raw_answer(lab, "GET", "/-/support?duration=1")
    equal(status, 200, "answer")
    bundle = zipfile.ZipFile(io.BytesIO(body))
    found = {n: planted(bundle.read(n).decode(errors="replace")) for n in bundle.namelist()}
    equal({n: f for n, f in found.items() if f}, {}, "secrets in the bundle")
    check("127.0.0.1:4041" in "".join(bundle.read(n).decode(errors="replace") for n in bundle.namelist()),
          "the configuration is gone")


@test
def bundles_take_the_environment_by_a_list_of_what_is_allowed(lab):
    """Variables of names that nobody thought of are not in a bundle; those that explain a problem are."""
    lab.agent(config="", env={"ZQ": "PLANTEDzq", "my_own": "PLANTEDown", "PATH": os.environ["PATH"], "TZ": "UTC"})
    bundle = zipfile.ZipFile(io.BytesIO(raw_answer(lab, "GET", "/-/support?duration=1")[2]))
    text = "".join(bundle.read(n).decode(errors="replace") for n in bundle.namelist())
    equal(planted(text), [], "values in the bundle")
    check("TZ" in text or "PATH" in text, "no variable at all is in the bundle")


@test
def targets_environments_are_not_shown(lab):
    """The environment and the arguments' values of other users' processes are in no answer unless asked for."""
    agent = lab.agent(config=config())
    target = fake(lab, env={"DB_PASSWORD": "PLANTEDenv"}, mode="refuse")
    settled(agent, target)
    for path in ("/api/v0/web/components/discovery.process.all", "/api/v0/web/components/pyroscope.java.test"):
        equal(planted(agent.http("GET", path)[1]), [], f"secrets in {path}")


def redirected(lab, status):
    process = lab.run([sys.executable, HERE / "redirector.py", "4040", str(status)], name="redirector")
    wait_for("redirector", lambda: "up" in process.text())
    lab.jvm()
    lab.agent(config=config(endpoint='headers = {"X-Api-Key" = "PLANTEDapikey", "X-Own" = "PLANTEDown", "Cookie" = '
                                     '"PLANTEDcookie", '
                            '"Authorization" = "PLANTEDauthz"}'))
    wait_for("push", lambda: "FIRST" in process.text(), 20)
    wait_for("what became of it", lambda: "ASKED" in process.text() or len(re.findall("FIRST", process.text())) > 1, 20)
    check("PLANTEDapikey" in process.text(), "the first host got no header")
    asked = "\n".join(line for line in process.text().splitlines() if line.startswith("ASKED"))
    equal(planted(asked), [], "headers sent to another host")


@test
def headers_do_not_follow_a_redirect_to_another_host(lab):
    """An endpoint answers 307 to another host: X-Api-Key, Cookie, Authorization and any other header of ours stay at
    home."""
    redirected(lab, 307)


@test
def headers_do_not_follow_a_permanent_redirect(lab):
    """The same with 308."""
    redirected(lab, 308)


@test
def files_of_the_agent_are_roots_alone(lab):
    """Database, its journal and the folder: no right for others, whatever umask the agent was started with."""
    receiver_args = ["--store.listen=127.0.0.1:4040"]
    lab.jvm()
    agent = lab.agent(*receiver_args, config=config(), wrapper=["sh", "-c", 'umask 000; exec "$@"', "x"])
    wait_for("profiles", lambda: "service" in lab.machine.http("GET", "http://127.0.0.1:4040/api/services")[1], 20)
    open_to_others = {str(p.relative_to(lab.dir)): oct(p.stat().st_mode & 0o777) for p in (lab.dir / "data").rglob("*")
                      if p.stat().st_mode & 0o077 and not p.is_dir()}
    equal(open_to_others, {}, "files that others may read")
    status, text = lab.call([*user(), "sh", "-c", f"cat {lab.dir}/data/*.db* >/dev/null"])
    check(status != 0, "another user reads the database")
    check_live(agent, 0.3)


@test
def an_old_database_is_closed_to_others(lab):
    """One that an earlier version left at mode 0644 is 0600 after the start."""
    agent = lab.agent("--store.listen=127.0.0.1:4040", config="")
    agent.stop()
    for path in (lab.dir / "data").glob("*.db*"):
        path.chmod(0o644)
    lab.agent("--store.listen=127.0.0.1:4040", config="")
    equal({p.name: stat.S_IMODE(p.stat().st_mode) & 0o077 for p in (lab.dir / "data").glob("*.db*")
           if stat.S_IMODE(p.stat().st_mode) & 0o077}, {}, "files that others may read")


PASSWORD = """
http {
  auth {
    basic {
      username = "op"
      password = "PLANTEDhttp"
    }
  }
}
"""


@test
def the_password_guards_the_store_too(lab):
    """With the http block's password neither pages nor profiles of the store are open, nor can anyone push to it."""
    lab.agent("--store.listen=127.0.0.1:4040", config=PASSWORD)
    for method, path in (("GET", "/"), ("GET", "/api/services"), ("GET", "/api/jvms"), ("POST", store_path())):
        status = raw_answer(lab, method, path, port=4040, headers={"Content-Type": "application/proto"})[0]
        equal(status, 401, f"{method} {path} without password")
    right = {"Authorization": "Basic " + base64.b64encode(b"op:PLANTEDhttp").decode()}
    wrong = {"Authorization": "Basic " + base64.b64encode(b"op:other").decode()}
    equal(raw_answer(lab, "GET", "/api/services", port=4040, headers=right)[0], 200, "with the password")
    equal(raw_answer(lab, "GET", "/api/services", port=4040, headers=wrong)[0], 401, "with a wrong one")
    equal(raw_answer(lab, "GET", "/api/v0/web/components", headers=right)[0], 200, "the agent's API with it")


@test
def a_server_for_others_without_password_warns(lab):
    """Listening on every address without a password or certificate is said in the log."""
    agent = lab.agent("--server.http.listen-addr=0.0.0.0:12345", config="")
    agent.wait_log(r"level=warn.*(password|auth|every|anyone|protect|open|guard)", 5)


@test
def the_agent_is_opaque_to_other_users(lab):
    """Its environment, memory and descriptors cannot be read by others."""
    agent = started(lab)
    for name in ("environ", "mem", "maps", "fd/"):
        status, text = lab.call([*user(), "sh", "-c",
                                 f"cat /proc/{agent.inner}/{name} || ls /proc/{agent.inner}/{name}/0"])
        check(status != 0 and "PLANTED" not in text, f"/proc/PID/{name} can be read")
