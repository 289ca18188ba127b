package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/render"
	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/tool"
)

// templateModule returns the module path of the template, one level above the scaffolder.
func templateModule() string {
	here := reflect.TypeFor[render.Source]().PkgPath()
	return strings.TrimSuffix(here, "/scaffold/internal/render")
}

// ownVersion returns the version of this program if the go command downloaded it. In a
// clone's build it is empty.
func ownVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Sum == "" {
		return ""
	}
	return query(info.Main.Version)
}

// query returns a version query that leads to the same commit in each module of the
// repository: their pseudo-versions may differ.
func query(version string) string {
	if rev, err := module.PseudoVersionRev(version); err == nil {
		return rev
	}
	return version
}

// sourceFlags name the source of the template.
type sourceFlags struct {
	template string // a folder, MODULE@VERSION, or empty for this program's version
	requires string // version of the modules beside a template folder
}

func (f *sourceFlags) register(set *flag.FlagSet) {
	set.StringVar(&f.template, "template", "", "`FOLDER` or MODULE@VERSION of the template (default: the version of this program)")
	set.StringVar(&f.requires, "jackfield", "", "`VERSION` of the Jackfield modules to require, for a template in a folder (default: the latest release)")
}

// find returns the template.
func (f *sourceFlags) find(ctx context.Context) (render.Source, error) {
	if f.requires != "" && semver.Canonical(f.requires) != f.requires {
		return render.Source{}, usageError{fmt.Errorf("-jackfield %s: a version looks like v1.2.3", f.requires)}
	}
	if mod, query, ok := strings.Cut(f.template, "@"); ok {
		return download(ctx, mod, query)
	}
	if version := ownVersion(); f.template == "" && version != "" {
		return download(ctx, templateModule(), version)
	}
	dir := f.template
	if dir == "" {
		var err error
		if dir, err = ownFolder(); err != nil {
			return render.Source{}, err
		}
	}
	return f.folder(ctx, dir)
}

// ownFolder returns the template's folder in the clone from which this program was built.
func ownFolder() (string, error) {
	_, file, _, _ := runtime.Caller(0)      //nolint:dogsled // Caller returns four values
	dir := filepath.Dir(filepath.Dir(file)) // of sdk-template/scaffold/source.go
	data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil || modfile.ModulePath(data) != templateModule() {
		return "", usageError{errors.New("the clone that this program was built in no longer exists: name the template with -template, such as -template sdk-template or -template " + templateModule() + "@latest")}
	}
	return dir, nil
}

func (f *sourceFlags) folder(ctx context.Context, dir string) (render.Source, error) {
	files, err := render.ReadFolder(ctx, dir)
	if err != nil {
		return render.Source{}, fmt.Errorf("the template: %w", err)
	}
	source := render.Source{Files: files, Module: templateModule(), Version: render.Development, Requires: f.requires}
	if source.Requires == "" {
		// Without a release, Render reports the missing version if it needs one.
		source.Requires, _ = latest(ctx, path.Dir(source.Module)+"/core")
	}
	return source, nil
}

// latest returns the latest version of a module.
func latest(ctx context.Context, mod string) (string, error) {
	out, err := tool.Go(os.TempDir()).Run(ctx, "list", "-m", "-f", "{{.Version}}", mod+"@latest")
	return strings.TrimSpace(out), err
}

// download gets the template as a module.
func download(ctx context.Context, mod, query string) (render.Source, error) {
	// Run outside the current folder: its go.mod must have no influence.
	out, err := tool.Go(os.TempDir()).Run(ctx, "mod", "download", "-json", mod+"@"+query)
	var got struct{ Dir, Version, Error string }
	if jsonErr := json.Unmarshal([]byte(out), &got); jsonErr == nil && got.Error != "" {
		err = errors.New(got.Error)
	}
	if err != nil {
		return render.Source{}, fmt.Errorf("get the template %s@%s: %w", mod, query, err)
	}
	files, err := render.ReadModule(got.Dir)
	return render.Source{Files: files, Module: mod, Version: got.Version}, err
}

// explain adds the next steps to an error of Render.
func explain(err error) error {
	if !errors.Is(err, render.ErrUnreleased) {
		return err
	}
	prefix := path.Dir(templateModule())
	return fmt.Errorf(`%w:
give a released one, such as -jackfield v0.1.0. A clone of %s
makes a local release by "make release"; in that clone, this lets the go command find it:
  export GOPROXY="file://$PWD/bin/release/proxy,$(go env GOPROXY)" GONOSUMDB='%s/*'`, err, prefix, prefix)
}
