// AWS SDK for JavaScript 2 does not read AWS_ENDPOINT_URL_DYNAMODB and AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI,
// as all newer SDKs do. With
//
//     NODE_OPTIONS='--require /usr/share/gatepost/aws-sdk-2.js'
//
// it does: once the package aws-sdk is loaded, its defaults have these endpoints. An endpoint
// that the program gives itself comes first, as always.
"use strict";

const Module = require("node:module");

const CORE = /[\\/]node_modules[\\/]aws-sdk[\\/]lib[\\/]core\.js$/;
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
    if (!CORE.test(filename)) return;
    const { config } = module.exports;
    for (const [service, values] of Object.entries(endpoints(process.env)))
        config[service] = { ...values, ...config[service] };
};
