package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	modulepath "golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
)

// writeSums lists every hash of the release: modules as in a go.sum, other files by
// SHA-256. It also rebuilds each zip from the release commit and compares the two.
func (r *release) writeSums(context.Context) error {
	var lines []string
	for _, m := range r.modules {
		hashes, err := r.hashes(m)
		if err != nil {
			return err
		}
		lines = append(lines, hashes...)
	}
	err := filepath.WalkDir(r.result(), func(name string, entry fs.DirEntry, err error) error {
		relative, relErr := filepath.Rel(r.result(), name)
		relative = filepath.ToSlash(relative)
		if err = errors.Join(err, relErr); err != nil || entry.IsDir() || strings.HasPrefix(relative, "proxy/") {
			return err
		}
		text, err := os.ReadFile(name)
		lines = append(lines, fmt.Sprintf("sha256:%x %s", sha256.Sum256(text), relative))
		return err
	})
	if err != nil {
		return err
	}
	return os.WriteFile(r.result("sums.txt"), []byte(strings.Join(lines, "\n")+"\n"), 0o644)
}

// hashes returns a module's two go.sum lines, and refuses a zip that differs from a rebuild
// of the release commit.
func (r *release) hashes(m *module) ([]string, error) {
	escaped, err := modulepath.EscapePath(m.path)
	if err != nil {
		return nil, err
	}
	base := r.result("proxy", filepath.FromSlash(escaped), "@v", r.version)
	sum, err := dirhash.HashZip(base+".zip", dirhash.Hash1)
	if err != nil {
		return nil, err
	}
	again := filepath.Join(r.stage, "again.zip")
	if err := r.writeZip(m, "HEAD", r.version, again); err != nil {
		return nil, err
	}
	if remade, err := dirhash.HashZip(again, dirhash.Hash1); err != nil || remade != sum {
		return nil, errors.Join(err, fmt.Errorf("%s: the zip has the hash %s, but a rebuild from the release commit has %s", m.path, sum, remade))
	}
	modSum, err := dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) { return os.Open(base + ".mod") })
	if err != nil {
		return nil, err
	}
	return []string{
		fmt.Sprintf("%s %s %s", m.path, r.version, sum),
		fmt.Sprintf("%s %s/go.mod %s", m.path, r.version, modSum),
	}, nil
}

// publish moves bin/release into place, and then writes the tags with the release commit.
// If it cannot write the tags, it restores bin/release.
func (r *release) publish(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	final, before := r.root.path("bin", "release"), filepath.Join(r.stage, "before")
	had := exists(final)
	if had {
		if err := os.Rename(final, before); err != nil {
			return err
		}
	}
	err := os.Rename(r.result(), final)
	if err == nil && !r.dryRun {
		if err = r.fetchTags(ctx); err != nil {
			err = errors.Join(err, os.Rename(final, r.result()))
		}
	}
	if err != nil {
		if had {
			err = errors.Join(err, os.Rename(before, final))
		}
		return fmt.Errorf("refused, nothing was written: %w", err)
	}
	r.report()
	return nil
}

// fetchTags adds the release commit and all tags to the repository, or none.
func (r *release) fetchTags(ctx context.Context) error {
	args := []string{"fetch", "-q", "--atomic", "--no-tags", "--no-write-fetch-head", string(r.clone)}
	for _, m := range r.modules {
		args = append(args, "refs/tags/"+m.tag(r.version)+":refs/tags/"+m.tag(r.version))
	}
	_, err := r.root.git(ctx, args...)
	return err
}

// tagsInOnePush is the number of tags per push: with more tags in a push, the hosting site
// starts no workflows.
const tagsInOnePush = 3

// report prints the results and the next steps.
func (r *release) report() {
	fmt.Fprintf(r.log, "\n%s of %d modules is in bin/release.\n", r.version, len(r.modules))
	if r.dryRun {
		fmt.Fprintln(r.log, "This was a dry run: there is no commit and no tag.")
	} else {
		fmt.Fprintln(r.log, "Nothing is pushed. To push it, after its branch and in this order:")
		for modules := range slices.Chunk(r.modules, tagsInOnePush) {
			fmt.Fprint(r.log, "\tgit push origin")
			for _, m := range modules {
				fmt.Fprint(r.log, " "+m.tag(r.version))
			}
			fmt.Fprintln(r.log)
		}
	}
	fmt.Fprintf(r.log, "To use it from this machine:\n\texport GOPROXY=%s,$(go env GOPROXY) GONOSUMDB=%s\n\tgo get %s@%s\n",
		fileURL(r.root.path("bin", "release", "proxy")), r.prefix, r.modules[0].path, r.version)
}

// verifyRelease downloads each module of bin/release/sums.txt, as a user would, and compares the hashes.
func verifyRelease(ctx context.Context, root string, log io.Writer) error {
	file, err := os.Open(filepath.Join(root, "bin", "release", "sums.txt"))
	if err != nil {
		return fmt.Errorf("no release to compare with: %w", err)
	}
	defer file.Close()
	proxies, err := command(ctx, "", os.Environ(), "go", "env", "GOPROXY")
	if err != nil {
		return err
	}
	if strings.Contains(proxies, "/bin/release/proxy") {
		return errors.New("GOPROXY contains bin/release/proxy, so the release would be compared with itself: unset GOPROXY")
	}
	cache, err := os.MkdirTemp("", "release-verify-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(cache)
	// GOPRIVATE and similar settings would bypass the proxy and the checksum database.
	env := append(os.Environ(), "GOWORK=off", "GOFLAGS=-modcacherw", "GOMODCACHE="+cache, "GONOPROXY=none", "GONOSUMDB=none")

	var failures []error
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) != 3 {
			continue
		}
		if err := verifyLine(ctx, cache, env, fields[0], fields[1], fields[2]); err != nil {
			failures = append(failures, err)
			continue
		}
		fmt.Fprintf(log, "ok  %s %s\n", fields[0], fields[1])
	}
	return errors.Join(append(failures, lines.Err())...)
}

// verifyLine compares one line of a go.sum with the module proxy.
func verifyLine(ctx context.Context, dir string, env []string, path, file, want string) error {
	version, isMod := strings.CutSuffix(file, "/go.mod")
	output, err := command(ctx, dir, env, "go", "mod", "download", "-json", path+"@"+version)
	if err != nil {
		return err
	}
	var got struct{ Sum, GoModSum string }
	if err := json.Unmarshal([]byte(output), &got); err != nil {
		return err
	}
	have := got.Sum
	if isMod {
		have = got.GoModSum
	}
	if have != want {
		return fmt.Errorf("%s %s: the proxy serves %s, but the release has %s", path, file, have, want)
	}
	return nil
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}
