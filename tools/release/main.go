// Release makes a release of all published modules, in this clone, and pushes nothing:
//
//	release -version v0.1.0 [-dry-run] [repository-root]
//	release -verify [repository-root]
//
// First it runs all checks: versions.yaml, the tree, the changelog, each go.mod, the
// licences, the public API and the .proto files against the last release. Then it makes the
// release commit in a temporary clone. In this commit sibling versions are set, replace
// lines dropped, and each module is tidied against the modules before it. Only after all of
// this has succeeded does it write:
//
//   - bin/release: a file-based module proxy with this release and all earlier ones, the .proto files,
//     a software bill of materials for each module, the API report, and sums.txt with every hash;
//   - the release commit, reachable only through the tags, and a tag <module>/vX.Y.Z for each module.
//
// With -dry-run it writes only bin/release. Without -version a dry run derives a version
// from the commit, such as v0.1.0-dev.20260131093000.
//
// With -verify it downloads the modules of bin/release/sums.txt through GOPROXY and
// compares the hashes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	version := flag.String("version", "", "the `version` of all modules, such as v0.1.0")
	dryRun := flag.Bool("dry-run", false, "write bin/release only: no commit, no tag")
	verify := flag.Bool("verify", false, "compare a pushed release with bin/release/sums.txt")
	tools := flag.String("tools", "", "the `folder` with apidiff, buf and cyclonedx-gomod; empty means bin below the root")
	flag.Parse()

	if flag.NArg() > 1 {
		flag.Usage()
		os.Exit(2)
	}
	root := "."
	if flag.NArg() == 1 {
		root = flag.Arg(0)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := forgetRepository(ctx)
	switch {
	case err != nil:
	case *verify:
		err = verifyRelease(ctx, root, os.Stdout)
	default:
		err = makeRelease(ctx, &release{log: os.Stdout, root: repository(root), version: *version, dryRun: *dryRun, tools: *tools})
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// release is one run: the repository, the modules to publish, and a temporary folder for
// everything made before the final write.
type release struct {
	log     io.Writer
	root    repository
	version string
	last    string // the version of the last release; "" before the first one
	dryRun  bool
	tools   string // the folder with third-party programs

	prefix  string    // common prefix of all module paths, without a trailing slash
	modules []*module // published ones, requirements first
	history []publication

	stage string     // the temporary folder, on the file system of bin/release
	clone repository // the clone in it
	base  string     // the released commit
	time  time.Time  // of base

	committer []string // of the release commit, as environment variables
}

// tool returns the path of a program pinned by tools/go.mod.
func (r *release) tool(name string) string { return filepath.Join(r.tools, name) }

func makeRelease(ctx context.Context, r *release) (err error) {
	root, err := filepath.Abs(string(r.root))
	if err != nil {
		return err
	}
	r.root = repository(root)
	if r.tools == "" {
		r.tools = r.root.path("bin")
	} else if r.tools, err = filepath.Abs(r.tools); err != nil {
		return err
	}
	if err := r.plan(ctx); err != nil {
		return fmt.Errorf("refused, nothing was written:\n%w", err)
	}
	if err := r.makeStage(ctx); err != nil {
		return fmt.Errorf("refused, nothing was written:\n%w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(r.stage)) }()

	steps := []struct {
		name string
		run  func(context.Context) error
	}{
		{"release commit and module proxy", r.buildModules},
		{"requirements of each module", r.checkRequirements},
		{"public API", r.checkAPI},
		{".proto files", r.buildProtos},
		{"old and new modules together", r.checkSkew},
		{"bills of materials and licences", r.buildMaterials},
		{"hashes", r.writeSums},
	}
	for _, step := range steps {
		start := time.Now()
		if err := step.run(ctx); err != nil {
			return fmt.Errorf("refused, nothing was written: %s:\n%w", step.name, err)
		}
		fmt.Fprintf(r.log, "%-34s %5.1f s\n", step.name, time.Since(start).Seconds())
	}
	return r.publish(ctx)
}
