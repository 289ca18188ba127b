// Demo builds each example's plugins and host, and runs the host with the plugins' paths as
// its arguments:
//
//	demo [-timeout 1m] examples-folder
//
// An example is a folder with a main package `host` and one or more main packages whose
// names begin with `plugin`. The binaries go into a temporary directory. Demo runs all
// examples, and exits with status 1 if any of them failed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

func main() {
	timeout := flag.Duration("timeout", time.Minute, "time limit for each example's host")
	flag.Parse()

	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(flag.Arg(0), *timeout); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(examples string, timeout time.Duration) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	hosts, err := filepath.Glob(filepath.Join(examples, "*", "host"))
	if err != nil {
		return err
	}
	if len(hosts) == 0 {
		return fmt.Errorf("no host program in %s", filepath.Join(examples, "*", "host"))
	}
	bin, err := os.MkdirTemp("", "jackfield-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(bin)

	var failures []error
	for _, host := range hosts {
		if ctx.Err() != nil {
			break
		}
		example := filepath.Dir(host)
		if err := show(ctx, example, bin, timeout); err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", example, err))
		}
	}
	return errors.Join(append(failures, ctx.Err())...)
}

// show builds one example into bin and runs it.
func show(ctx context.Context, example, bin string, timeout time.Duration) error {
	plugins, err := filepath.Glob(filepath.Join(example, "plugin*"))
	if err != nil {
		return err
	}
	host, err := build(ctx, filepath.Join(example, "host"), bin)
	if err != nil {
		return err
	}
	var args []string
	for _, plugin := range plugins {
		if info, err := os.Stat(plugin); err != nil || !info.IsDir() {
			continue
		}
		binary, err := build(ctx, plugin, bin)
		if err != nil {
			return err
		}
		args = append(args, binary)
	}

	fmt.Printf("=== %s: %s %s\n", example, filepath.Base(host), strings.Join(bases(args), " "))
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	cmd := exec.CommandContext(ctx, host, args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return fmt.Errorf("the host was still running after %v", timeout)
		}
		return err
	}
	return nil
}

// build compiles the main package in a folder, with the requirements of its own module, and
// names the binary after the example: basic/plugin becomes basic-plugin.
func build(ctx context.Context, folder, bin string) (string, error) {
	name := filepath.Base(filepath.Dir(folder)) + "-" + filepath.Base(folder)
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	binary := filepath.Join(bin, name)

	cmd := exec.CommandContext(ctx, "go", "build", "-o", binary, ".")
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "GOWORK=off")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("building %s: %w", folder, err)
	}
	return binary, nil
}

func bases(paths []string) []string {
	names := make([]string, len(paths))
	for i, path := range paths {
		names[i] = filepath.Base(path)
	}
	return names
}
