"""Starts the plugin as its application does."""

import base64
import json
import os
import ssl
import subprocess
import sys
import tempfile
import unittest

import grpc

PLUGIN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "plugin")
sys.path.insert(0, PLUGIN)

import serving  # noqa: E402: it is in the folder above

COMMAND = [sys.executable, PLUGIN]
COOKIE = {"@COOKIEKEY@": "@COOKIE@"}


class PluginTest(unittest.TestCase):
    def test_it_describes_itself(self):
        answer = subprocess.run([*COMMAND, "describe"], capture_output=True, check=True, timeout=60)
        self.assertEqual(json.loads(answer.stdout)["name"], "@NAME@")

    def test_it_does_not_run_outside_of_its_application(self):
        run = subprocess.run(COMMAND, capture_output=True, check=False, timeout=60)
        self.assertNotEqual(run.returncode, 0)
        self.assertIn(b"plugin", run.stderr)

    def test_it_serves_until_the_application_ends_it(self):
        key, certificate = serving.make_certificate()
        with tempfile.TemporaryDirectory() as sockets:
            host = {"PLUGIN_CLIENT_CERT": certificate.decode(), "PLUGIN_UNIX_SOCKET_DIR": sockets}
            with subprocess.Popen(COMMAND, env={**os.environ, **COOKIE, **host}, stdout=subprocess.PIPE) as plugin:
                try:
                    line = plugin.stdout.readline().decode().strip().split("|")
                    self.assertEqual(line[:1] + line[2:3] + line[4:5], ["1", "unix", "grpc"])
                    theirs = ssl.DER_cert_to_PEM_cert(base64.b64decode(line[5] + "==")).encode()
                    credentials = grpc.ssl_channel_credentials(theirs, key, certificate)
                    options = [("grpc.ssl_target_name_override", "localhost")]
                    with grpc.secure_channel(f"unix:{line[3]}", credentials, options) as channel:
                        health = channel.unary_unary("/grpc.health.v1.Health/Check")
                        self.assertEqual(health(b"\x0a\x06plugin", timeout=30), b"\x08\x01")
                        channel.unary_unary("/plugin.GRPCController/Shutdown")(b"", timeout=30)
                    self.assertEqual(plugin.wait(timeout=60), 0)
                finally:
                    plugin.kill()


if __name__ == "__main__":
    unittest.main()
