package examples_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestHostsInOtherLanguagesRunPluginsInAnyLanguage(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("only where a script can be a program")
	}
	inGo := buildExample(t, "./bidirectional/plugin")
	for name, l := range languages {
		for _, plugin := range []string{"go", "python", "node"} {
			t.Run(name+"/"+plugin, func(t *testing.T) {
				program, golden := inGo, "counter-host-go.golden"
				if plugin != "go" {
					languages[plugin].setInterpreter(t)
					program, golden = script(plugin, "counter_plugin"), "counter-host.golden"
				}
				interpreter := l.setInterpreter(t)
				printed := runHost(t, interpreter, script(name, "counter_host"), program)
				compareGolden(t, filepath.Join("testdata", golden), normalise(printed))
				checkCallbacks(t, printed)
			})
		}
	}
}

// failedLaunches are programs that are no plugin of counters, and a part of the hosts' text.
func failedLaunches(language string) map[string]string {
	return map[string]string{
		filepath.Join("testdata", "no-such-program"): "cannot be started",
		script(language, "kv_plugin"):                "JACKFIELD_KV_PLUGIN", // the plugin's last words
	}
}

func TestHostsInOtherLanguagesExplainFailedLaunches(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("only where a script can be a program")
	}
	for name, l := range languages {
		for program, says := range failedLaunches(name) {
			t.Run(name+"/"+filepath.Base(program), func(t *testing.T) {
				cmd := exec.CommandContext(t.Context(), l.setInterpreter(t), script(name, "counter_host"), program)
				out, err := cmd.CombinedOutput()
				_, text, found := strings.Cut(string(out), "error: plugin ")
				if err == nil || !found || !strings.Contains(text, says) {
					t.Errorf("%v, and the host says:\n%s", err, out)
				}
			})
		}
	}
}

// holding are hosts that print their plugin's process ID and language, and then wait for a line on
// stdin: the end of the program follows. After a ping the plugin knows its host's stream.
var holding = map[string]string{
	"python": `
import signal, sys
sys.path.insert(0, "python")
import hosting, counter_host
signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
with hosting.launch([sys.argv[1]], counter_host.HANDSHAKE) as plugin:
    plugin.ping()
    print(plugin.process.pid, plugin.account["language"], flush=True)
    if sys.stdin.readline() == "fail\n":
        raise RuntimeError("the application has a fault")
`,
	"node": `
import { withPlugin } from './node/hosting.js';
const handshake = { cookieKey: 'JACKFIELD_BIDIRECTIONAL_PLUGIN', cookieValue: '5e6b80d7' };
process.on('SIGTERM', () => process.exit(1));
await withPlugin({ command: process.argv[1], handshake }, async (plugin) => {
  await plugin.ping();
  console.log(plugin.pid, plugin.account.language);
  for await (const line of process.stdin) {
    if (String(line) === 'fail\n') {
      throw new Error('the application has a fault');
    }
  }
});
`,
}

// hold starts a holding host, and returns it, its stdin and its plugin's process ID and language.
func hold(t *testing.T, language, plugin string) (host *exec.Cmd, stdin io.WriteCloser, pid int, spoken string) {
	t.Helper()
	interpreter := languages[language].setInterpreter(t)
	arguments := []string{"-c", holding[language], plugin}
	if language == "node" {
		arguments = []string{"--input-type=module", "-e", holding[language], plugin}
	}
	host = exec.CommandContext(t.Context(), interpreter, arguments...)
	stdin, err := host.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := host.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	host.Stderr = t.Output()
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err, host.Wait())
	}
	if _, err := fmt.Sscan(line, &pid, &spoken); err != nil {
		t.Fatal(err)
	}
	return host, stdin, pid, spoken
}

// expectEnd waits until the process is gone. Its new parent may take a while to collect it.
func expectEnd(t *testing.T, pid int) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(patience); running(pid); <-ticker.C {
		if time.Now().After(deadline) {
			if process, err := os.FindProcess(pid); err == nil {
				_ = process.Kill()
			}
			t.Fatalf("the plugin, process %d, still runs", pid)
		}
	}
}

// running reports whether a process runs; a zombie does not.
func running(pid int) bool {
	process, err := os.FindProcess(pid)
	if err != nil || process.Signal(syscall.Signal(0)) != nil {
		return false
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || !strings.Contains(string(status), ") Z ")
}

// However a host ends, it leaves no plugin behind. A killed host cannot end its plugin: plugins in
// these languages notice the lost connection, and those in Go the end of the lifeline.
func TestHostsInOtherLanguagesLeaveNoOrphan(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("only where a process takes signals")
	}
	inGo := buildExample(t, "./bidirectional/plugin")
	for name := range languages {
		for end, ending := range map[string]func(host *exec.Cmd, stdin io.WriteCloser) error{
			"return":    func(_ *exec.Cmd, stdin io.WriteCloser) error { return stdin.Close() },
			"exception": func(_ *exec.Cmd, stdin io.WriteCloser) error { _, err := io.WriteString(stdin, "fail\n"); return err },
			"SIGTERM":   func(host *exec.Cmd, _ io.WriteCloser) error { return host.Process.Signal(syscall.SIGTERM) },
			"SIGKILL":   func(host *exec.Cmd, _ io.WriteCloser) error { return host.Process.Kill() },

			"SIGKILL, in its language": func(host *exec.Cmd, _ io.WriteCloser) error { return host.Process.Kill() },
		} {
			t.Run(name+"/"+end, func(t *testing.T) {
				plugin, language := inGo, "go1."
				if end == "SIGKILL, in its language" {
					plugin, language = script(name, "counter_plugin"), name
				}
				host, stdin, pid, spoken := hold(t, name, plugin)
				if !strings.HasPrefix(spoken, language) {
					t.Errorf("the plugin's language is %q", spoken)
				}
				if err := ending(host, stdin); err != nil {
					t.Error(err)
				}
				if err := host.Wait(); (err == nil) != (end == "return") {
					t.Errorf("the host: %v", err)
				}
				expectEnd(t, pid)
			})
		}
	}
}

// awkward uses the helper file in ways that come easily: a client that an async function returns, and
// a reader that fails. The plugin has a child that keeps its output.
const awkward = `
import { withPlugin } from './node/hosting.js';
import { loadProtos } from './node/serving.js';
const { counter } = loadProtos(new URL('node/descriptors.json', 'file://' + process.cwd() + '/'));
const handshake = { cookieKey: 'JACKFIELD_BIDIRECTIONAL_PLUGIN', cookieValue: '5e6b80d7' };
async function* broken() {
  yield Buffer.from('some ');
  throw new Error('the text has no end');
}
await withPlugin({ command: process.argv[1], handshake }, async (plugin) => {
  const client = await (async () => plugin.client(counter.v1.CounterService))();
  const count = plugin.broker.lendReader(broken(), (text_id) => client.CountWords({ text_id }));
  await count.catch((error) => console.log(error.details));
});
`

func TestHostInNodeOutlivesFaultsAndGrandchildren(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("only where a script can be a program")
	}
	plugin := filepath.Join(t.TempDir(), "plugin.sh")
	text := "#!/bin/sh\nsleep 1000 &\necho $! >\"$0.pid\"\nexec '" + buildExample(t, "./bidirectional/plugin") + "'\n"
	if err := os.WriteFile(plugin, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	defer endGrandchild(t, plugin+".pid")
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, languages["node"].setInterpreter(t), "--input-type=module", "-e", awkward, plugin)
	out, err := cmd.Output()
	if err != nil || !strings.Contains(string(out), "the text has no end") {
		t.Errorf("%v: the host says %q", err, out)
	}
}

func endGrandchild(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Error(err)
		return
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Error(err)
		return
	}
	if process, err := os.FindProcess(pid); err == nil {
		_ = process.Kill()
	}
}

// spoken has a plugin that gives an account of itself beyond ASCII.
const spoken = `
import { withPlugin } from './node/hosting.js';
const handshake = { cookieKey: 'KEY', cookieValue: 'value' };
const plugin = "import { serve } from './node/serving.js'; " +
  "await serve({ cookieKey: 'KEY', cookieValue: 'value' }, { 1: () => {} }, { build: 'grün|100 %' });";
const options = { command: process.execPath, args: ['--input-type=module', '-e', plugin], handshake };
await withPlugin(options, async ({ account }) => console.log(account.build));
`

func TestHostInNodeReadsAnAccountBeyondASCII(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), languages["node"].setInterpreter(t), "--input-type=module", "-e", spoken).Output()
	if err != nil || string(out) != "grün|100 %\n" {
		t.Errorf("%v: the host says %q", err, out)
	}
}
