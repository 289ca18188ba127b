package store_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/jackfield-go/jackfield/discovery/internal/testkit"
)

// The test binary is its own plugin: under a name greet-plugin-<role> it describes
// itself as the role does.
var roles = map[string]func(){
	"good": func() {
		fmt.Println(`{"describe": 1, "name": "greeter", "version": "1.4.0", "protocols": [{"version": 5}]}`)
	},
	"agrees": func() {
		fmt.Println(`{"describe": 1, "name": "agrees", "version": "1.4.0", "protocols": [{"version": 5, "transports": ["grpc"]}]}`)
	},
	// core/plugin answers so for a plugin without a name of its own.
	"unset": func() {
		fmt.Println(`{"describe": 1, "name": "main", "protocols": [], "build": {"path": "example.com/plugins/main"}}`)
	},
	"requires": func() {
		fmt.Println(`{"describe": 1, "name": "requires", "version": "1.4.0", "requires_host": ">= 2, < 3", "protocols": []}`)
	},
	"rewrites": func() {
		data, err := os.ReadFile(os.Args[0])
		if err == nil {
			err = os.Remove(os.Args[0])
		}
		if err == nil {
			err = os.WriteFile(os.Args[0], append(data, "more"...), 0o755)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		fmt.Println(`{"describe": 1, "name": "rewrites", "protocols": []}`)
	},
	"exit": func() { fmt.Fprintln(os.Stderr, "not meant to be run by hand"); os.Exit(3) },
}

func TestMain(m *testing.M) {
	if role, ok := testkit.Role(); ok {
		roles[role]()
		os.Exit(0)
	}
	if dir := os.Getenv(installVariable); dir != "" {
		installHalf(dir)
	}
	testkit.Prepare()
	os.Exit(m.Run())
}
