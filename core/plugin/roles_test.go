package plugin_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/internal/faketransport"
	"github.com/jackfield-go/jackfield/core/plugin"
)

// The test binary is its own plugin: with this variable set it behaves as the
// named part instead of running tests.
const roleVariable = "PLUGIN_TEST_ROLE"

// witnessVariable names a file for a plugin's shutdown function: it gets the end of a child that
// writes to both outputs.
const witnessVariable = "PLUGIN_TEST_WITNESS"

// replacedVariable names a file that a plugin puts in the place of os.Stdout.
const replacedVariable = "PLUGIN_TEST_STDOUT"

var roles = map[string]func() int{
	"serve":  serve,
	"broken": func() int { plugin.Serve(plugin.Config{Handshake: cookie}); return 0 },
	"echo":   func() int { fmt.Println("a child's line"); return 0 },
}

// early are the outputs as code finds them that was there before Serve.
var early = struct{ stdout, stderr *os.File }{os.Stdout, os.Stderr}

// serve is a main that prints wherever it can.
func serve() int {
	if path := os.Getenv(replacedVariable); path != "" {
		file, err := os.Create(path)
		if err != nil {
			return 4
		}
		os.Stdout = file
	}
	transport := &faketransport.Transport{
		Objects: map[string]faketransport.Object{
			"print":       printBoth,
			"descriptor":  printToDescriptor,
			"child":       printFromChild,
			"environment": protocolVariables,
		},
		Seen: func(core.PluginLink) {
			fmt.Println("while it starts")
			_, _ = printToDescriptor(context.Background(), "raw, while it starts\n")
		},
	}
	cfg := config(transport)
	witness := os.Getenv(witnessVariable)
	cfg.OnShutdown = []func(context.Context){func(context.Context) {
		fmt.Println("a last word")
		if witness != "" {
			child := exec.Command("/bin/sh", "-c", "echo a last word && echo a last line >&2")
			child.Stdout, child.Stderr = os.Stdout, early.stderr
			_ = os.WriteFile(witness, fmt.Append(nil, child.Run()), 0o600)
		}
	}}
	plugin.Serve(cfg)
	fmt.Println("after Serve")
	fmt.Fprintln(os.Stderr, "log after Serve")
	if _, err := early.stdout.WriteString("by its old name\n"); err != nil {
		return 3
	}
	return 0
}

func printBoth(_ context.Context, text string) (string, error) {
	fmt.Print(text)
	fmt.Fprint(os.Stderr, text)
	return "", nil
}

func printToDescriptor(_ context.Context, text string) (string, error) {
	_, err := early.stdout.WriteString(text)
	return "", err
}

func printFromChild(context.Context, string) (string, error) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"=echo")
	cmd.Stdout = early.stdout
	return "", cmd.Run()
}

func protocolVariables(context.Context, string) (string, error) {
	var found []string
	for _, variable := range os.Environ() {
		if strings.HasPrefix(variable, "PLUGIN_") && !strings.HasPrefix(variable, "PLUGIN_TEST_") {
			found = append(found, variable)
		}
	}
	return strings.Join(found, " "), nil
}
