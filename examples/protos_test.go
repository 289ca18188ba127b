package examples_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// door is an encoded message of testdata/protos/acme/v1/door.proto, in
// hexadecimal: its place has the ID 3 and the network "unix".
const door = "0a0808031204756e6978"

// protoChecks are the checks after a recipe of docs/proto.md, by its name.
func protoChecks(u *protoUser) map[string]func(t *testing.T, dir string) {
	return map[string]func(t *testing.T, dir string){
		"sources":        u.servesAHost,
		"image":          u.servesAHost,
		"git":            u.servesAHost,
		"protoc-sources": u.servesAHost,
		"protoc-image":   u.servesAHost,
		"go-buf":         u.usesAPlugin,
		"go-protoc":      u.usesAPlugin,
		"node-sources":   callsInNode,
		"node-image":     callsInNode,
		"own-python":     writesItsDoor,
		"own-go":         readsItsDoor,
		"own-registry":   isRead,
		"app-author":     u.refusesBreakingChanges,
		"app-git":        hasStubs,
		"app-image":      hasStubs,
		"app-vendored":   hasStubs,
		"app-registry":   isRead,
	}
}

// Authors get the .proto files from a release, as `make proto-image` makes it, and from a tag. This
// test follows all instructions of docs/proto.md, outside the repository, each recipe in an empty
// directory.
func TestProtosOfAReleaseWorkAsTheirPageDescribes(t *testing.T) {
	u := newProtoUser(t)
	u.host = buildHost(t, u.follow(t, "go-buf"))
	checks := protoChecks(u)
	t.Run("app-author", func(t *testing.T) { checks["app-author"](t, u.follow(t, "app-author")) }) // makes app-image's image
	delete(checks, "app-author")
	for name, check := range checks {
		t.Run(name, func(t *testing.T) { check(t, u.follow(t, name)) })
	}
	t.Run("untested commands exist", u.page.checkNotRun)
}

// servesAHost runs a plugin with the Python code in dir.
func (u *protoUser) servesAHost(t *testing.T, dir string) { runProtoHost(t, u.host, dir) }

// usesAPlugin runs a host with the Go code in dir.
func (u *protoUser) usesAPlugin(t *testing.T, dir string) {
	runProtoHost(t, buildHost(t, dir), u.follow(t, "sources"))
}

func buildHost(t *testing.T, dir string) (host string) {
	t.Helper()
	copyFile(t, filepath.Join(dir, "main.go"), "testdata", "protos", "host", "main.go")
	requireJackfield(t, dir)
	command(t, dir, "go", "build", "-mod=mod", "-o", "host"+exeSuffix(), ".")
	return filepath.Join(dir, "host"+exeSuffix())
}

// runProtoHost runs a host with the plugin in Python. The plugin serves everything in
// docs/proto.md: the application's service, controller, stdio and broker.
func runProtoHost(t *testing.T, host, dir string) {
	t.Helper()
	copyFile(t, filepath.Join(dir, "serving.py"), "python", "serving.py")
	copyFile(t, filepath.Join(dir, "kv_plugin.py"), "python", "kv_plugin.py")
	copyFile(t, filepath.Join(dir, "all_plugin.py"), "testdata", "protos", "all_plugin.py")
	printed := command(t, dir, host, "all_plugin.py")
	compareGolden(t, filepath.Join("testdata", "protos.golden"), normalise(printed))
}

// callsInNode registers the controller in JavaScript and calls it.
func callsInNode(t *testing.T, dir string) {
	node := findNode(t)
	libraries, err := filepath.Abs(filepath.Join("node", "node_modules"))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("NODE_PATH", libraries)
	command(t, dir, "tar", "-xzf", "jackfield-proto.tar.gz")
	var script strings.Builder
	for _, file := range []string{filepath.Join(dir, "plugin.js"), filepath.Join("testdata", "protos", "call.js")} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		script.Write(text)
	}
	if printed, want := command(t, dir, node, "-e", script.String()), "asked to leave\nanswered\n"; printed != want {
		t.Errorf("printed %q, want %q", printed, want)
	}
}

// writesItsDoor makes an application's message with a Jackfield message inside.
func writesItsDoor(t *testing.T, dir string) {
	program := "from acme.v1 import door_pb2; from plugin import broker_pb2; " +
		"place = broker_pb2.ConnInfo(service_id=3, network='unix'); " +
		"print(door_pb2.Door(place=place).SerializeToString().hex())"
	if printed := command(t, dir, "python3", "-c", program); strings.TrimSpace(printed) != door {
		t.Errorf("printed %q, want %q", printed, door)
	}
}

// readsItsDoor extracts a Jackfield message from the application's message.
func readsItsDoor(t *testing.T, dir string) {
	copyFile(t, filepath.Join(dir, "main.go"), "testdata", "protos", "door", "main.go")
	requireJackfield(t, dir)
	if printed, want := command(t, dir, "go", "run", "-mod=mod", ".", door), "3 unix\n"; printed != want {
		t.Errorf("printed %q, want %q", printed, want)
	}
}

// refusesBreakingChanges breaks the application's protocol, and repeats the recipe's checks.
func (u *protoUser) refusesBreakingChanges(t *testing.T, dir string) {
	copyFile(t, filepath.Join(u.release, "kv.binpb"), dir, "kv.binpb")
	file := filepath.Join(dir, "proto", "kv", "v1", "kv.proto")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	broken := strings.Replace(string(text), "string key = 1;", "string name = 1;", 1)
	if err := os.WriteFile(file, []byte(broken), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-e", "-c", u.page.recipe("app-author").script)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if want := `Field "1" on message "PutRequest" changed name from "key" to "name"`; err == nil || !strings.Contains(string(out), want) {
		t.Errorf("%v, want %q in:\n%s", err, want, out)
	}
}

// hasStubs imports a consumer's generated code of the application.
func hasStubs(t *testing.T, dir string) {
	program := "from kv.v1 import kv_pb2_grpc; print(kv_pb2_grpc.StoreServiceStub.__name__)"
	if printed, want := command(t, dir, "python3", "-c", program), "StoreServiceStub\n"; printed != want {
		t.Errorf("printed %q, want %q", printed, want)
	}
}

// isRead reads a buf.yaml with a dependency from the registry.
func isRead(t *testing.T, dir string) {
	if printed, want := command(t, dir, "buf", "config", "ls-modules"), "proto\n"; printed != want {
		t.Errorf("printed %q, want %q", printed, want)
	}
}

// requireJackfield makes dir a module that requires the modules of this tree.
func requireJackfield(t *testing.T, dir string) {
	t.Helper()
	command(t, dir, "go", "mod", "init", "example.org/kv")
	tree, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	edit := []string{"mod", "edit"}
	for _, module := range []string{"broker", "core", "proto", "tlsutil", "transport-grpc", "yamux"} {
		path := "github.com/jackfield-go/jackfield/" + module
		edit = append(edit, "-require", path+"@v0.0.0", "-replace", path+"="+filepath.Join(tree, module))
	}
	command(t, dir, "go", edit...)
	copyFile(t, filepath.Join(dir, "go.sum"), "go.sum")
}
