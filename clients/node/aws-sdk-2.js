// AWS SDK for JavaScript 2 does not read AWS_ENDPOINT_URL_DYNAMODB and AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI,
// as all newer SDKs do. With
//
//     NODE_OPTIONS='--require /usr/share/gatepost/aws-sdk-2.js'
//
// it does: once the package aws-sdk is loaded, its defaults have these endpoints. An endpoint
// that the program gives itself comes first, as always.
"use strict";

const Module = require("node:module");

// It makes the configuration, whichever of the package's files a program asks for.
const LOADER = /[\\/]node_modules[\\/]aws-sdk[\\/]lib[\\/]node_loader\.js$/;
const load = Module._extensions[".js"];

function endpoints(environment) {
    const found = {};
    for (const service of ["dynamodb", "apigatewaymanagementapi"]) {
        const endpoint = environment[`AWS_ENDPOINT_URL_${service.toUpperCase()}`];
        if (endpoint) found[service] = { endpoint };
    }
    return found;
}

Module._extensions[".js"] = function (module, filename) {
    load.apply(this, arguments);
    if (!LOADER.test(filename)) return;
    const { config } = module.require("./core");
    for (const [service, values] of Object.entries(endpoints(process.env)))
        config[service] = { ...values, ...config[service] };
};
