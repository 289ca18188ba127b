package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/names"
	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/render"
	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/tool"
)

// pluginFiles are the files of a plugin's repository that the SDK does not provide. Words
// between @ are replaced.
//
//go:embed pluginfiles
var pluginFiles embed.FS

// pluginPlaces are the places of files whose original names would take effect here.
var pluginPlaces = map[string]string{
	"gitignore":     ".gitignore",
	"gitattributes": ".gitattributes",
	"ci.yml":        ".github/workflows/ci.yml",
}

// sdk is the plugin's SDK.
type sdk struct {
	files   render.Tree
	record  render.Record
	version string // empty if it is a folder
	dir     string
}

// plugin is the description of a plugin to make.
type plugin struct {
	sdk        sdk
	lang, name string
	module     string // only for a plugin in Go
	dir        string
}

func (c *cli) pluginCommand(ctx context.Context, args []string) error {
	p := plugin{}
	var from string
	set := c.flags("plugin")
	set.StringVar(&p.lang, "lang", "go", "`LANGUAGE`: go or python")
	set.StringVar(&from, "sdk", ".", "the SDK: a `FOLDER`, or MODULE@VERSION")
	set.StringVar(&p.module, "module", "", "module `PATH` of a plugin in Go (default: beside the SDK's)")
	rest, err := parse(set, args, 2)
	if err != nil {
		return err
	}
	if len(rest) == 0 {
		return usageError{errors.New("plugin needs a name, such as slack")}
	}
	if p.name = rest[0]; p.lang != "go" && p.lang != "python" {
		return usageError{fmt.Errorf("-lang %s: choose go or python", p.lang)}
	}
	if err := names.CheckPlugin(p.name); err != nil {
		return usageError{err}
	}
	if p.sdk, err = findSDK(ctx, from); err != nil {
		return err
	}
	p.dir = p.program()
	if p.sdk.dir != "" {
		p.dir = filepath.Join(p.sdk.dir, "..", p.program())
	}
	if len(rest) > 1 {
		p.dir = rest[1]
	}
	return c.makePlugin(ctx, p)
}

// findSDK reads the SDK from a folder, or downloads it as a module.
func findSDK(ctx context.Context, from string) (s sdk, err error) {
	if mod, query, ok := strings.Cut(from, "@"); ok {
		source, err := download(ctx, mod, query)
		if err != nil {
			return sdk{}, err
		}
		s.files, s.version = source.Files, source.Version
	} else {
		if s.dir, err = filepath.Abs(from); err != nil {
			return sdk{}, err
		}
		if s.files, err = render.ReadFolder(ctx, s.dir); err != nil {
			return sdk{}, err
		}
	}
	data, ok := s.files[render.RecordFile]
	if !ok {
		return sdk{}, fmt.Errorf("%s has no %s, so it is not an SDK from the template: name an SDK with -sdk FOLDER or -sdk MODULE@VERSION", from, render.RecordFile)
	}
	if s.record, err = render.ParseRecord(data); err != nil {
		return sdk{}, fmt.Errorf("%s: %w", render.RecordFile, err)
	}
	s.record, err = s.record.Moved(s.files["go.mod"])
	return s, err
}

func (c *cli) makePlugin(ctx context.Context, p plugin) error {
	if p.module == "" {
		p.module = p.besideSDK()
	}
	if err := names.CheckNewModule(p.module); err != nil {
		return usageError{err}
	}
	place, err := claim(p.dir)
	if err != nil {
		return err
	}
	tree, err := p.tree()
	if err != nil {
		return err
	}
	if p.lang == "go" {
		if tree["go.mod"], err = p.goMod(place.dir); err != nil {
			return err
		}
	}
	c.sayf("sdk       %s\nplugin    %s, in %s", strings.TrimSpace(p.sdk.record.Answers.Module+" "+p.sdk.version), p.program(), p.lang)
	c.sayOuterRepository(ctx, place)
	return place.fill(func() error {
		c.sayf("\nwriting   %d files", len(tree))
		if err := tree.Write(place.dir); err != nil {
			return err
		}
		if p.lang == "go" {
			c.sayf("running   go mod tidy")
			if _, err := tool.Go(place.dir).Run(ctx, "mod", "tidy"); err != nil {
				return err
			}
			if p.sdk.version == "" {
				c.sayf("go.mod    takes the SDK from its folder: drop the replace line, and require a release, when there is one")
			}
		}
		if err := c.commit(ctx, place.dir, "Begin with the example of "+p.sdk.record.Answers.Module); err != nil {
			return err
		}
		c.sayf("\nDone. Next: cd %s && make test && make build", place.dir)
		return nil
	})
}

// program returns the name of the plugin's program.
func (p plugin) program() string { return p.sdk.record.Answers.Plugin(p.name) }

// besideSDK returns the module path beside the SDK's, without its /v2.
func (p plugin) besideSDK() string {
	of, _, _ := module.SplitPathVersion(p.sdk.record.Answers.Module)
	return path.Join(path.Dir(of), p.program())
}

// tree returns the files: the SDK's own example under the plugin's name, and the other
// files of a repository. So the plugin implements the SDK's present interface.
func (p plugin) tree() (render.Tree, error) {
	tree := render.Tree{}
	example := "plugins/" + p.lang + "/"
	into := map[string]string{"go": "", "python": "plugin/"}[p.lang]
	for file, data := range p.sdk.files {
		if rel, ok := strings.CutPrefix(file, example); ok {
			tree[into+rel] = data
		}
	}
	if len(tree) == 0 {
		return nil, fmt.Errorf("%s has no example in %s to start from", p.sdk.record.Answers.Module, example)
	}
	if err := p.rename(tree, into); err != nil {
		return nil, err
	}
	words := strings.NewReplacer(
		"@PROGRAM@", p.program(), "@NAME@", p.name, "@APP@", p.sdk.record.Answers.App, "@SERVICE@", p.sdk.record.Answers.Service,
		"@SDK@", p.sdk.record.Answers.Module, "@COOKIE@", p.sdk.record.Cookie, "@COOKIEKEY@", p.cookieKey(),
	)
	for _, dir := range []string{"pluginfiles/common", "pluginfiles/" + p.lang} {
		entries, err := fs.ReadDir(pluginFiles, dir)
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			data, err := fs.ReadFile(pluginFiles, dir+"/"+entry.Name())
			if err != nil {
				return nil, err
			}
			name := entry.Name()
			if place, ok := pluginPlaces[name]; ok {
				name = place
			}
			tree[name] = []byte(words.Replace(string(data)))
		}
	}
	return tree, nil
}

// These patterns match the examples' names, and the name of the SDK's cookie.
var (
	exampleName = regexp.MustCompile(`\.[Ss]erve\(\s*(?:name=)?("[a-z0-9-]+")`)
	cookieKey   = regexp.MustCompile(`MagicCookieKey:\s*"(\w+)"`)
)

// rename gives the example the plugin's name.
func (p plugin) rename(tree render.Tree, into string) error {
	main := into + map[string]string{"go": "main.go", "python": "__main__.py"}[p.lang]
	match := exampleName.FindSubmatchIndex(tree[main])
	if match == nil {
		return fmt.Errorf("plugins/%s/%s of %s does not state its plugin's name in the template's form, so the name cannot be replaced", p.lang, path.Base(main), p.sdk.record.Answers.Module)
	}
	text := string(tree[main])
	tree[main] = []byte(text[:match[2]] + `"` + p.name + `"` + text[match[3]:])
	return nil
}

func (p plugin) cookieKey() string {
	if match := cookieKey.FindSubmatch(p.sdk.files["handshake.go"]); match != nil {
		return string(match[1])
	}
	return strings.ToUpper(p.sdk.record.Answers.App) + "_PLUGIN_COOKIE"
}

// goMod requires the SDK, as a release or as a folder.
func (p plugin) goMod(dir string) ([]byte, error) {
	of, err := modfile.ParseLax("go.mod", p.sdk.files["go.mod"], nil)
	if err != nil {
		return nil, err
	}
	if of.Go == nil {
		return nil, fmt.Errorf("go.mod of %s has no go line", p.sdk.record.Answers.Module)
	}
	version := p.sdk.version
	if version == "" {
		version = "v0.0.0"
	}
	mod := &modfile.File{}
	err = errors.Join(mod.AddModuleStmt(p.module), mod.AddGoStmt(of.Go.Version), mod.AddRequire(p.sdk.record.Answers.Module, version))
	if err == nil && p.sdk.dir != "" {
		err = mod.AddReplace(p.sdk.record.Answers.Module, "", relative(dir, p.sdk.dir), "")
	}
	if err != nil {
		return nil, err
	}
	return mod.Format()
}

// relative returns the path from one folder to another, in go.mod's form.
func relative(from, to string) string {
	rel, err := filepath.Rel(from, to)
	if err != nil {
		return to // on another volume
	}
	if rel = filepath.ToSlash(rel); !strings.HasPrefix(rel, "../") {
		rel = "./" + rel
	}
	return rel
}
