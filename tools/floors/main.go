// Floors holds the requirements of modules at the lowest working versions:
//
//	floors module-folder...
//
// A comment above each requirement names the version and the reason for it:
//
//	// v1.66.3: the feature missing in older versions.
//	google.golang.org/grpc v1.66.3
//
// When the go command raises a requirement, it leaves the comment unchanged. Then the two
// differ, and the program fails until the requirement is lowered or the comment gives a new
// reason. Modules with a common requirement must agree on its version, and on the version
// of Go. Another requirement must ask for the version of each indirect requirement.
// Requirements within the repository are not checked.
package main

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

func main() {
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "floors:", err)
		os.Exit(1)
	}
}

// run checks all modules and reports every failure.
func run(folders []string) error {
	var failures []error
	first := map[string]place{} // path of a requirement → first place
	for _, folder := range folders {
		name := filepath.Join(folder, "go.mod")
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		file, err := modfile.Parse(name, text, nil)
		if err != nil {
			return err
		}
		if file.Module == nil || file.Go == nil {
			return fmt.Errorf("%s has no module line or no go line", name)
		}
		asked, err := askedFor(folder)
		if err != nil {
			return err
		}
		failures = append(failures, check(name, file, asked), agree(name, file, first))
	}
	return errors.Join(failures...)
}

// foreign returns a module's requirements on modules outside of its repository. The path of a module is
// its folder below the repository's.
func foreign(file *modfile.File) []*modfile.Require {
	repository := file.Module.Mod.Path[:strings.LastIndexByte(file.Module.Mod.Path, '/')+1]
	var all []*modfile.Require
	for _, required := range file.Require {
		if !strings.HasPrefix(required.Mod.Path, repository) {
			all = append(all, required)
		}
	}
	return all
}

// reason matches a comment with a version and a text.
var reason = regexp.MustCompile(`^// (v\S+): \S`)

// check compares each direct requirement with its comment, and each indirect one with the module graph.
func check(name string, file *modfile.File, asked map[string]bool) error {
	var failures []error
	for _, required := range foreign(file) {
		if required.Indirect {
			if !asked[required.Mod.String()] {
				failures = append(failures, fmt.Errorf("%s requires %s, and no other requirement asks for that version: lower it", name, required.Mod))
			}
			continue
		}
		switch version := floor(required); version {
		case required.Mod.Version:
		case "":
			failures = append(failures, fmt.Errorf("%s requires %s without a comment `// %s: the reason` above it", name, required.Mod, required.Mod.Version))
		default:
			failures = append(failures, fmt.Errorf("%s requires %s, but the comment above gives the reason for %s: lower the requirement, or give the reason for the higher version", name, required.Mod, version))
		}
	}
	return errors.Join(failures...)
}

// floor returns the version in the comment above a requirement, or "".
func floor(required *modfile.Require) string {
	comments := required.Syntax.Before
	if len(comments) == 0 {
		return ""
	}
	match := reason.FindStringSubmatch(comments[0].Token)
	if match == nil {
		return ""
	}
	return match[1]
}

// place is a go.mod and its required version.
type place struct{ name, version string }

// agree compares the requirements, and the version of Go, with those of the earlier
// modules.
func agree(name string, file *modfile.File, first map[string]place) error {
	here := map[string]string{"go": file.Go.Version}
	for _, required := range foreign(file) {
		if !required.Indirect {
			here[required.Mod.Path] = required.Mod.Version
		}
	}
	var failures []error
	for _, path := range slices.Sorted(maps.Keys(here)) {
		there, known := first[path]
		if !known {
			first[path] = place{name, here[path]}
		} else if there.version != here[path] {
			failures = append(failures, fmt.Errorf("%s requires %s %s, but %s requires %s: use one version in both", name, path, here[path], there.name, there.version))
		}
	}
	return errors.Join(failures...)
}

// askedFor returns the requirements in a module's graph, as path@version, without the
// module's own.
func askedFor(folder string) (map[string]bool, error) {
	cmd := exec.Command("go", "mod", "graph")
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "GOWORK=off")
	cmd.Stderr = os.Stderr
	output, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go mod graph in %s: %w", folder, err)
	}
	asked := map[string]bool{}
	for edge := range strings.Lines(string(output)) {
		from, to, _ := strings.Cut(strings.TrimSpace(edge), " ")
		if strings.Contains(from, "@") { // the module itself has no version
			asked[to] = true
		}
	}
	return asked, nil
}
