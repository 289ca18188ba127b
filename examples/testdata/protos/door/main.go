// This program prints the place in a door, given in hexadecimal as its argument.
package main

import (
	"encoding/hex"
	"fmt"
	"os"

	"google.golang.org/protobuf/proto"

	"github.com/jackfield-go/jackfield/proto/pluginpb"

	acmev1 "example.org/kv/gen/acme/v1"
)

func main() {
	bytes, err := hex.DecodeString(os.Args[1])
	if err != nil {
		panic(err)
	}
	var door acmev1.Door
	if err := proto.Unmarshal(bytes, &door); err != nil {
		panic(err)
	}
	var place *pluginpb.ConnInfo = door.GetPlace()
	fmt.Println(place.GetServiceId(), place.GetNetwork())
}
