package discovery_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/discovery/internal/testkit"
)

const lockVariable = "DISCOVERY_TEST_LOCK"

const cookieKey = "DISCOVERY_TEST_COOKIE"

// The test binary is its own plugin: under a name greet-plugin-<role> it describes
// itself as the role does.
var roles = map[string]func(){
	"good": func() {
		fmt.Println("noise")
		fmt.Println(`{"describe": 1, "name": "greeter", "version": "1.4.0", "summary": "greets loudly", "future": [1], "protocols": [` +
			`{"version": 5, "transports": ["grpc", "netrpc"], "services": ["greeter"]}, {"version": 4, "transports": ["netrpc"]}],` +
			`"build": {"go": "go1.25", "revision": "abc", "modified": true}}`)
		fmt.Println("more noise")
	},
	"agrees": func() {
		fmt.Println(`{"describe": 1, "name": "agrees", "version": "1.4.0", "protocols": [{"version": 5, "transports": ["grpc"]}]}`)
	},
	"requires": func() {
		fmt.Println(`{"describe": 1, "name": "requires", "version": "1.4.0", "requires_host": ">= 2, < 3", "protocols": []}`)
	},
	"unfit":  func() { fmt.Println(`{"describe": 1, "requires_host": "new"}`) },
	"silent": func() {},
	"places": func() { fmt.Print(programDirs()) },
	"finder": func() { fmt.Print(foundBeside()) },
	"hang":   func() { fmt.Fprintln(os.Stderr, "thinking"); time.Sleep(time.Hour) },
	"flood": func() {
		for {
			fmt.Println(strings.Repeat("x", 1000))
		}
	},
	"stderrflood": func() {
		for range 10_000 {
			fmt.Fprintln(os.Stderr, strings.Repeat("x", 1000))
		}
		fmt.Println(`{"describe": 1, "protocols": []}`)
	},
	"exit":     func() { fmt.Fprintln(os.Stderr, "one\nnot meant to be run by hand"); os.Exit(3) },
	"nonsense": func() { fmt.Println("hello\n{\n\"describe\": 1,\n\"protocols\": hello}") },
	"control":  func() { fmt.Println(`{"describe": 1, "name": "\u001b[2J"}`) },
	"summary":  func() { fmt.Println(`{"describe": 1, "summary": "one\ntwo"}`) },
	"version":  func() { fmt.Println(`{"describe": 1, "version": "new"}`) },
	"later":    func() { fmt.Println(`{"describe": 2}`) },
	"logs": func() {
		fmt.Println(`{"level": "INFO", "msg": "starting", "time": {}}`)
		fmt.Println("{not JSON")
		fmt.Println(`{"describe": 1, "name": "logger"}`)
		fmt.Println(`{"describe": 1, "name": "another"}`)
	},
	"onlylogs": func() { fmt.Print("{\"level\": \"INFO\"}\n{\"describe\":") },
	"deep":     func() { fmt.Print(strings.Repeat("{\"a\":\n", 8000)) },
	"number":   func() { fmt.Println(`{"describe": 1, "protocols": [{"version": -1}]}`) },
	"cut":      func() { fmt.Print("{\"describe\": 1,\n") },
	"utf8":     func() { fmt.Println("{\"describe\": 1, \"name\": \"\xff\"}") },
	"cookie": func() {
		_, set := os.LookupEnv(cookieKey)
		fmt.Printf(`{"describe": 1, "name": "cookie %t, args %s"}`, set, strings.Join(os.Args[1:], ","))
	},
	"where": func() {
		path, err := os.Executable()
		fmt.Printf(`{"describe": 1, "name": %q, "version": "1.4.0"}`, fmt.Sprint(path, " ", os.Args[0], " ", err))
	},
	// A child of the plugin has none of its output, and stays. It locks the file of
	// the variable.
	"orphan": func() {
		out, err := exec.Command("/bin/sh", "-c", `exec 9>"$`+lockVariable+`"; flock 9; sleep 3600 >/dev/null 2>&1 & echo done`).Output()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		fmt.Printf("{\"describe\": 1, \"name\": %q}", strings.TrimSpace(string(out)))
	},
	// A child of the plugin has its output, and stays.
	"child": func() {
		cmd := exec.Command(os.Args[0], testkit.Stay)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if err := cmd.Start(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		fmt.Println(`{"describe": 1, "name": "parent"}`)
	},
}

func TestMain(m *testing.M) {
	if role, ok := testkit.Role(); ok {
		roles[role]()
		os.Exit(0)
	}
	testkit.Prepare()
	os.Exit(m.Run())
}
