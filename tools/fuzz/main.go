// Fuzz runs each fuzz target of several modules for a limited time, one after the other:
//
//	fuzz [-fuzztime 10s] module-folder...
//
// It continues after a failure, and exits with status 1 if there was any. go test keeps a
// failing input under the package's testdata/fuzz; commit it with the fix.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

func main() {
	fuzztime := flag.String("fuzztime", "10s", "run time of each target, as in go test -fuzztime")
	flag.Parse()

	if err := run(flag.Args(), *fuzztime); err != nil {
		fmt.Fprintln(os.Stderr, "fuzz:", err)
		os.Exit(1)
	}
}

func run(modules []string, fuzztime string) error {
	var failures []error
	for _, module := range modules {
		output, err := goTest(module, "-list", "^Fuzz", "./...").Output()
		if err != nil {
			failures = append(failures, fmt.Errorf("%s: listing the targets: %w", module, err))
			continue
		}
		for _, target := range parseList(string(output)) {
			fmt.Printf("=== %s %s\n", target.pkg, target.name)
			cmd := goTest(module, "-run", "^$", "-fuzz", "^"+target.name+"$", "-fuzztime", fuzztime, target.pkg)
			cmd.Stdout = os.Stdout
			if err := cmd.Run(); err != nil {
				failures = append(failures, fmt.Errorf("%s %s: %w", target.pkg, target.name, err))
			}
		}
	}
	return errors.Join(failures...)
}

func goTest(module string, args ...string) *exec.Cmd {
	cmd := exec.Command("go", append([]string{"test"}, args...)...)
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "GOWORK=off")
	cmd.Stderr = os.Stderr
	return cmd
}

type target struct{ pkg, name string }

// parseList reads the output of go test -list: a package's names, followed by a line with
// its path.
func parseList(list string) []target {
	var (
		targets []target
		names   []string
	)
	for line := range strings.Lines(list) {
		line = strings.TrimSpace(line)
		if fields := strings.Fields(line); len(fields) >= 2 && fields[0] == "ok" {
			for _, name := range names {
				targets = append(targets, target{pkg: fields[1], name: name})
			}
			names = nil
		} else if strings.HasPrefix(line, "Fuzz") {
			names = append(names, line)
		}
	}
	return targets
}
