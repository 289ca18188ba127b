package examples_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// protoUser follows the recipes of docs/proto.md, with a local release.
type protoUser struct {
	page    protoPage
	release string // a directory with the output of `make proto-image`
	host    string // a program with Go code made by the page's recipe go-buf
}

// newProtoUser makes a release of the .proto files. It sets the environment so that the page's
// commands work as for a reader. It skips the test if a program is missing.
func newProtoUser(t *testing.T) *protoUser {
	t.Helper()
	needRepository(t)
	needPrograms(t)
	needEmptyProto(t)
	path := []string{filepath.Dir(findPython(t)), os.Getenv("PATH")}
	cleanEnvironment(t)
	t.Setenv("GOWORK", "off")
	t.Setenv("BUF_CACHE_DIR", t.TempDir())
	t.Setenv("PYTHONPATH", "gen")
	buf := pinned(t, "buf")
	for _, program := range []string{buf, pinned(t, "protoc-gen-go"), pinned(t, "protoc-gen-go-grpc")} {
		path = append([]string{filepath.Dir(program)}, path...)
	}
	t.Setenv("PATH", strings.Join(path, string(os.PathListSeparator)))

	u := &protoUser{page: readProtoPage(t), release: t.TempDir()}
	command(t, root, "make", "proto-image", "PROTO_IMAGE="+u.release, "BUF="+buf)
	publishInGit(t, u.page.recipe("git").script, root, "buf.yaml", "*.proto")
	publishInGit(t, u.page.recipe("app-git").script, ".", "proto/kv/v1/kv.proto")
	return u
}

func needPrograms(t *testing.T) {
	t.Helper()
	for program, from := range map[string]string{
		"sh": "", "make": "", "git": "", "tar": "",
		"protoc":             " (Debian's protobuf-compiler)",
		"grpc_python_plugin": " (Debian's protobuf-compiler-grpc)",
	} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("needs: %s on the PATH%s", program, from)
		}
	}
}

// needEmptyProto skips the test if protoc does not find stdio.proto's import.
func needEmptyProto(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	text := []byte("syntax = \"proto3\";\nimport \"google/protobuf/empty.proto\";\nmessage M { google.protobuf.Empty e = 1; }\n")
	if err := os.WriteFile(filepath.Join(dir, "m.proto"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "protoc", "-o", os.DevNull, "m.proto")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("needs: a protoc with google/protobuf/empty.proto (Debian's libprotobuf-dev): %v\n%s", err, out)
	}
}

// cleanEnvironment removes the variables of an outer make or git: they choose
// targets and an index for child processes.
func cleanEnvironment(t *testing.T) {
	t.Helper()
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "GIT_") || strings.HasPrefix(name, "MAKE") || name == "MFLAGS" {
			t.Setenv(name, "") // restores it at the end
			if err := os.Unsetenv(name); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// pinned returns the path of a program pinned by tools/go.mod. Go builds it
// into its cache, since another test may be running the program in bin.
func pinned(t *testing.T, program string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "tool", "-n", program)
	cmd.Dir, cmd.Env = filepath.Join(root, "tools"), append(os.Environ(), "GOWORK=off")
	path, err := cmd.Output()
	if err != nil {
		t.Fatalf("build %s: %v", program, err)
	}
	return strings.TrimSpace(string(path))
}

// gitInput is an input of buf in a recipe: a repository's address, and a tag.
var gitInput = regexp.MustCompile(`'(https://\S+)#tag=([^,']+),`)

// publishInGit makes a repository of the current .proto files in dir, with the script's tag. git
// then finds it at the script's address.
func publishInGit(t *testing.T, script, dir string, files ...string) {
	t.Helper()
	input := gitInput.FindStringSubmatch(script)
	if input == nil {
		t.Fatalf("docs/proto.md names no repository with a tag in:\n%s", script)
	}
	repository := t.TempDir()
	release(t, repository, dir, input[2], files...)

	number, _ := strconv.Atoi(os.Getenv("GIT_CONFIG_COUNT"))
	t.Setenv("GIT_CONFIG_COUNT", strconv.Itoa(number+1))
	t.Setenv(fmt.Sprint("GIT_CONFIG_KEY_", number), "url.file://"+filepath.ToSlash(repository)+".insteadOf")
	t.Setenv(fmt.Sprint("GIT_CONFIG_VALUE_", number), input[1])
}

// release commits files of dir into a new repository, and tags them.
func release(t *testing.T, repository, dir, tag string, files ...string) {
	t.Helper()
	command(t, repository, "git", "init", "--quiet")
	git := []string{"--git-dir=" + filepath.Join(repository, ".git"), "--work-tree=.", "-c", "core.hooksPath=" + os.DevNull}
	command(t, dir, "git", append(git, append([]string{"add", "--"}, files...)...)...)
	command(t, dir, "git", append(git, "-c", "user.name=nobody", "-c", "user.email=nobody@example.org", "-c", "commit.gpgSign=false",
		"commit", "--quiet", "--message=A release")...)
	command(t, dir, "git", append(git, "-c", "tag.gpgSign=false", "tag", tag)...)
}

// follow runs a recipe in a directory with the release and, in the folder
// proto, the recipe's files. It returns the directory.
func (u *protoUser) follow(t *testing.T, name string) string {
	t.Helper()
	dir := t.TempDir()
	for _, file := range []string{"jackfield-proto.tar.gz", "jackfield-proto.binpb"} {
		copyFile(t, filepath.Join(dir, file), u.release, file)
	}
	copyFile(t, filepath.Join(dir, "proto", "kv", "v1", "kv.proto"), "proto", "kv", "v1", "kv.proto")
	switch language, own := strings.CutPrefix(name, "own-"); {
	case own:
		copyFile(t, filepath.Join(dir, "proto", "acme", "v1", "door.proto"), "testdata", "protos", "acme", "v1", "door.proto")
	case !strings.HasPrefix(language, "go-") && !strings.HasPrefix(language, "app-"):
		copyFile(t, filepath.Join(dir, "proto", "health", "v1", "health.proto"), "python", "proto", "health", "v1", "health.proto")
	}
	if name == "app-image" {
		copyFile(t, filepath.Join(dir, "kv.binpb"), u.release, "kv.binpb") // by app-author
	}
	recipe := u.page.recipe(name)
	for file, text := range recipe.files {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if name == "app-author" {
		release(t, dir, dir, "v1.0.0", "buf.yaml", "proto")
	}
	command(t, dir, "sh", "-e", "-c", recipe.script)
	return dir
}

// copyFile copies a file, and makes the folders above the copy.
func copyFile(t *testing.T, to string, from ...string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(from...))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// command runs a program in dir and returns its output on stdout.
func command(t *testing.T, dir, program string, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %q: %v\n%s%s", program, args, err, &stdout, &stderr)
	}
	return stdout.String()
}
