// Weight limits the cost of Jackfield to a program that uses net/rpc only:
//
//	weight repository-root
//
// It writes a fresh module with the imports of a net/rpc host and plugin. It asks the go
// command for the module's requirements and linked packages. It also builds the basic
// example's plugin, stripped. The limits are the constants below; the exit status is 1 if
// any is exceeded.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

const (
	prefix = "github.com/jackfield-go/jackfield"

	maxModules    = 8         // go list -m all, the program's own module included
	maxPluginSize = 7_500_000 // bytes, stripped, linux/amd64
)

// imports are the imports of a program with both sides of net/rpc.
var imports = []string{
	prefix + "/core",
	prefix + "/core/host",
	prefix + "/core/plugin",
	prefix + "/transport-netrpc",
}

// notRequired are forbidden texts in the paths of the module graph.
var notRequired = []string{"google.golang.org/grpc", "google.golang.org/protobuf", "hashicorp/"}

// notLinked are forbidden packages in the binary, with the reasons.
var notLinked = map[string]string{
	"net/http":      "0.4 MB and its init time",
	"net/rpc":       "it links net/http and html/template",
	"html/template": "methods found by reflection keep every exported method in the binary",
	"testing":       "it registers flags",
}

func main() {
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "weight:", err)
		os.Exit(1)
	}
}

func run(root string) error {
	root, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "jackfield-weight-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)

	if err := writeFreshModule(dir, root); err != nil {
		return err
	}
	return errors.Join(checkModules(dir), checkPackages(dir), checkPluginSize(dir, root))
}

// writeFreshModule writes a newcomer's program. It requires our modules by path, because
// this tree may have no release, and leaves their requirements unchanged.
func writeFreshModule(dir, root string) error {
	modules, err := filepath.Glob(filepath.Join(root, "*", "go.mod"))
	if err != nil {
		return err
	}
	var mod strings.Builder
	mod.WriteString("module example.org/fresh\n\ngo 1.25.0\n")
	for _, file := range modules {
		folder := filepath.Dir(file)
		fmt.Fprintf(&mod, "\nreplace %s/%s => %q\n", prefix, filepath.Base(folder), folder)
	}
	var source strings.Builder
	source.WriteString("package main\n\nimport (\n")
	for _, path := range imports {
		fmt.Fprintf(&source, "\t_ %q\n", path)
	}
	source.WriteString(")\n\nfunc main() {}\n")

	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(mod.String()), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(source.String()), 0o600); err != nil {
		return err
	}
	_, err = golang(dir, "mod", "tidy")
	return err
}

// checkModules checks the module graph: a user's go.sum and audits would list it.
func checkModules(dir string) error {
	modules, err := golang(dir, "list", "-m", "all")
	if err != nil {
		return err
	}
	fmt.Printf("a fresh net/rpc host: %d modules (at most %d)\n", len(modules), maxModules)

	var failures []error
	if len(modules) > maxModules {
		failures = append(failures, fmt.Errorf("%d modules, at most %d: %s", len(modules), maxModules, strings.Join(modules, ", ")))
	}
	for _, module := range modules {
		for _, name := range notRequired {
			if strings.Contains(module, name) {
				failures = append(failures, fmt.Errorf("requires %s", module))
			}
		}
	}
	return errors.Join(failures...)
}

// checkPackages checks the linked packages.
func checkPackages(dir string) error {
	packages, err := golang(dir, "list", "-deps", ".")
	if err != nil {
		return err
	}
	fmt.Printf("a fresh net/rpc host and plugin: %d packages\n", len(packages))

	var failures []error
	for name, reason := range notLinked {
		if slices.Contains(packages, name) {
			failures = append(failures, fmt.Errorf("links %s: %s", name, reason))
		}
	}
	return errors.Join(failures...)
}

// checkPluginSize builds the basic example's plugin like one to ship.
func checkPluginSize(dir, root string) error {
	folder := filepath.Join(root, "examples", "basic", "plugin")
	if _, err := os.Stat(folder); err != nil {
		return err
	}
	binary := filepath.Join(dir, "plugin.exe")
	if _, err := golang(folder, "build", "-trimpath", "-ldflags=-s -w", "-o", binary, "."); err != nil {
		return err
	}
	info, err := os.Stat(binary)
	if err != nil {
		return err
	}
	fmt.Printf("a stripped net/rpc plugin: %.2f MB (at most %.2f)\n", float64(info.Size())/1e6, maxPluginSize/1e6)

	// The limit applies to one platform; others differ by some tenths of a MB.
	if runtime.GOOS == "linux" && runtime.GOARCH == "amd64" && info.Size() > maxPluginSize {
		return fmt.Errorf("a stripped net/rpc plugin has %d bytes, at most %d", info.Size(), maxPluginSize)
	}
	return nil
}

// golang runs the go command in a folder, without any workspace, and returns its output
// lines.
func golang(dir string, args ...string) ([]string, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.Fields(strings.ReplaceAll(string(output), " ", "@")), nil
}
